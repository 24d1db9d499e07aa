"""The page docs/performance.md: each number of the design with what was reached, then everything that was measured."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchmarks.figures import Kept, cpu_of
from benchmarks.tables import DATABASES, details_of, machine_of, milliseconds

NOT = "not measured"
Reached = Callable[[Kept, str], str]


@dataclass(frozen=True)
class Goal:
    """A row of the design's table of numbers: the work, the goal, and how what was reached is told on a database."""

    work: str
    goal: str
    reached: Reached


def ratio(part: str, ours: str, other: str, *, peers: str = "", faster: bool = False) -> Reached:
    """Return how often ours takes the other's time, or how often it is faster: by CPU seconds, and by seconds."""

    def reached(kept: Kept, database: str) -> str:
        where = peers or part
        found = []
        for measure in (kept.cpu, kept.seconds):
            mine, theirs = measure(part, database, ours), measure(where, database, other)
            if not mine or not theirs:
                return NOT
            found.append(theirs / mine if faster else mine / theirs)
        return f"{found[0]:.3g} x (by the clock {found[1]:.3g} x)"

    return reached


def peer(ours: str, other: str) -> Reached:
    """Return how often ours is faster than a package of others, of the same run."""
    return ratio("peers", f"console: {ours}", other, faster=True)


def added(part: str, ours: str, bare: str, whole: str) -> Reached:
    """Return how much of the whole ours takes more than the bare work, in percent of the whole without that."""

    def reached(kept: Kept, database: str) -> str:
        values = [kept.cpu(part, database, name) for name in (ours, bare, whole)]
        if None in values:
            return NOT
        more = values[0] - values[1]
        return f"{100 * more / (values[2] - more):.1f} %"

    return reached


def pages(part: str, *names: str) -> Reached:
    """Return the queries and the milliseconds of the slowest of some pages, of CPU and by the clock."""

    def reached(kept: Kept, database: str) -> str:
        found = [figure for name in names for figure in kept.all(part, database, name)]
        if len(found) < len(names):
            return NOT
        counted = [figure["queries"] for figure in found if "queries" in figure]
        most, slowest = max(counted, default="uncounted"), max(map(cpu_of, found))
        clock = max(figure["seconds"] for figure in found)
        return f"{most} queries, {milliseconds(slowest)} (by the clock {milliseconds(clock)})"

    return reached


def beside_list(*names: str) -> Reached:
    """Return how long pages take of what the list of airports takes, the slowest one."""

    def reached(kept: Kept, database: str) -> str:
        whole = kept.cpu("pages", database, "airports")
        found = [(kept.cpu("pages", database, name), name) for name in names]
        if not whole:
            return NOT
        return ", ".join(f"{name}: {f'{value / whole:.2g} x' if value else NOT}" for value, name in found)

    return reached


def size_of_plan(kept: Kept, database: str) -> str:
    """Return the time of the stored plan beside the stock preview, and the bytes of the first page of each."""
    page = kept.printed("plan", database, "upload to plan page").get("page_bytes")
    if page is None:
        return NOT
    theirs = kept.printed("peers", database, "stock: preview of the update").get("page_bytes")
    faster = ratio("plan", "upload to plan page", "stock: preview of the update", peers="peers", faster=True)(
        kept, database
    )
    beside = f", of stock {theirs / 1e6:.0f} MB" if theirs else ""
    return f"{faster}; first page {page / 1000:.0f} kB{beside}"


def growth_of_time(kept: Kept, database: str) -> str:
    """Return the time per row at each size as a multiple of that at the size before."""
    sizes = sorted({int(name.partition(":")[0]) for name in kept.names("growth", database)})
    rows = [(size, kept.cpu("growth", database, f"{size}: import")) for size in sizes]
    rows = [(size, value) for size, value in rows if value]
    if len(rows) < 2:
        return NOT
    told = [f"{large:,}: {(b / large) / (a / small):.2f} x" for (small, a), (large, b) in pairwise(rows)]
    peaks = [f"{kept.peak('growth', database, f'{size}: import'):.0f} MB" for size, _ in rows]
    return f"per row {', '.join(told)}; {', '.join(peaks)}"


def most_memory(kept: Kept, database: str) -> str:
    """Return the largest peak of memory of imports, at the size of the real file and at the largest."""
    real = [("update", "update"), ("import", "first import")]
    real += [("memory", name) for name in kept.names("memory", database)]
    peaks = [peak for part, name in real if (peak := kept.peak(part, database, name))]
    large = kept.peak("growth", database, "1000000: import")
    if not peaks:
        return NOT
    return f"{max(peaks):.0f} MB; 1,000,000 rows: {f'{large:.0f} MB' if large else NOT}"


def under_load(kept: Kept, database: str) -> str:
    """Return what twenty people met during an import and a revert."""
    before, *phases = (
        kept.printed("load", database, name) for name in ("nobody else writes", "during an import", "during its revert")
    )
    lost = kept.printed("load", database, "lost")
    if not before or not all(phases) or not lost:
        return NOT
    errors = sum(phase["errors"] for phase in phases)
    pages = max(phase["page"]["p95"] for phase in phases) / before["page"]["p95"]
    longest = max(phase["save"]["longest"] for phase in phases)
    told = sum(phase["told"] for phase in phases)
    saves = f"{lost['lost']} of {lost['saved']} lost; p95 {pages:.1f} x; longest save {longest:.1f} s, {told} told"
    return f"{errors} errors, {saves}"


def of_a_third(way: str) -> Reached:
    """Return what an UPDATE of many rows takes that is recorded in a way, of what it takes without triggers."""
    name = "UPDATE of a third of the rows"
    return ratio("edit", f"{name}, recorded {way}", f"{name}, unrecorded")


def start_of(kept: Kept, database: str) -> str:
    """Return the start of the slowest small command against Django's own start."""
    base = kept.cpu("commands", database, "django.setup() with the packages")
    found = [kept.cpu("commands", database, name) for name in ("changesets list", "imports status", "backup list")]
    own = kept.cpu("commands", database, "django.setup() with the console")
    if not base or None in found or own is None:
        return NOT
    return f"{max(found) / base:.2f} x the packages', {max(found) / own:.2f} x with the console's apps"


GOALS = (
    Goal("first import against the floor", "<= 2.2 x, <= 1.6 x", ratio("import", "first import", "floor with history")),
    Goal("against a load without history", "<= 4 x", ratio("import", "first import", "floor without history")),
    Goal("against stock", ">= 25 x faster", peer("first import", "stock: first import")),
    Goal("against `update_or_create`", "", peer("first import", "update_or_create: first import")),
    Goal("against `bulk_create_with_history`", "", peer("first import", "bulk_create_with_history: first import")),
    Goal("against django-pghistory, set-based", "", peer("first import", "django-pghistory: first import")),
    Goal("update 2022 -> 2026 against its floor", "<= 2.5 x", ratio("update", "update", "floor of the update")),
    Goal("against stock", ">= 40 x, >= 30 x faster", peer("update", "stock: update")),
    Goal("against `update_or_create`", "", peer("update", "update_or_create: update")),
    Goal("against django-pghistory, set-based", "", peer("update", "django-pghistory: update")),
    Goal(
        "one UPDATE of a third of the rows, recorded as in apply and revert, against bare",
        "PostgreSQL <= 1.15 x",
        of_a_third("by set"),
    ),
    Goal("the same, recorded row by row", "", of_a_third("row by row")),
    Goal(
        "re-import with no change, against stock's best configuration",
        ">= 40 x faster, 0 rows",
        peer("re-import known to be unchanged", "stock, best configuration: re-import unchanged"),
    ),
    Goal(
        "the same, the first time after the import, when it is planned in full",
        "",
        peer("re-import unchanged", "stock, best configuration: re-import unchanged"),
    ),
    Goal("plan of the update, stored, against the stock preview", ">= 30 x faster, < 200 kB", size_of_plan),
    Goal(
        "revert of the first import", "<= 0.5 x import", ratio("import", "revert of the first import", "first import")
    ),
    Goal("redo of it", "<= 1 x import", ratio("import", "redo", "first import")),
    Goal(
        "revert against django-reversion's",
        "",
        ratio(
            "import",
            "revert of the first import",
            "django-reversion: revert of the first import",
            peers="peers",
            faster=True,
        ),
    ),
    Goal("growth of an import", "per row <= 1.5 x from 100k to 1M, < 200 MB", growth_of_time),
    Goal(
        "list, search and filters at 85,009 rows",
        "<= 12 queries, <= 300 ms",
        pages("pages", "airports", "airports found: denver", "airports of a type", "airports without a city"),
    ),
    Goal(
        "changes of the first import (over 100,000)",
        "<= 12 queries, <= 500 ms",
        pages("pages", "changes of the first import"),
    ),
    Goal("plan of a revert of the update: first page", "<= 1 s", pages("pages", "revert plan, first page")),
    Goal(
        "further pages",
        "<= 15 queries, <= 150 ms",
        pages(
            "pages",
            "revert plan, restored, row 100",
            "revert plan, restored, row 10,000",
            "revert plan, deleted, row 200",
        ),
    ),
    Goal(
        "recycle bin, object history, search, beside the list of airports",
        "each <= 1.5 x",
        beside_list("recycle bin", "history of an airport", "search of everything: denver"),
    ),
    Goal(
        "recording of one edit in the admin",
        "<= 5 %",
        added("edit", "recorded save", "unrecorded save", "save in the admin"),
    ),
    Goal("start of a command against `django.setup()`", "<= 1.25 x", start_of),
    Goal("peak memory of an import", "<= 120 MB; <= 170 MB", most_memory),
    Goal("20 people during an import, then a revert", "0 errors, 0 lost; p95 <= 2 x; saves <= 5 s or told", under_load),
)
HEAD = """# Performance

What the console takes for real work, beside what the database alone takes and what packages of others take. Written by

```bash
uv run python -m benchmarks
```

which measures anew (a quarter of an hour on an idle machine) and writes this page of all that is kept; `--only peers`,
which takes an hour and more, measures the packages of others at full size.
[benchmarks/README.md](../benchmarks/README.md) says how each part is made.

- Ratios tell, seconds do not. A ratio goes by **CPU seconds**, of the process and of the database's server together,
  which a busy machine changes least; the ratio by the clock stands in brackets. Both sides are of one part, so of one
  run, but the plan beside the stock preview and the revert beside django-reversion's.
- A figure is the median of as many rounds as stand beside its part below, each a process from start to end on a copy of
  the same database. "Stock" is django-import-export with django-simple-history, on the same columns.
- The floor is plain set-based SQL: csv reader, staging, tables with keys and indexes, history by `INSERT..SELECT`.
"""
# What was measured of the goals that are not reached.
BOUNDS = Path(__file__).with_name("bounds.md")


def page_of(kept: Kept) -> str:
    """Return the page as Markdown."""
    lines = [HEAD, *machine_of(kept), "", "## What was to be reached, and what is", ""]
    lines += ["| work | goal | SQLite | PostgreSQL |", "|---|---|---|---|"]
    for goal in GOALS:
        cells = [goal.reached(kept, database) for database in DATABASES]
        lines.append(f"| {goal.work} | {goal.goal} | {cells[0]} | {cells[1]} |")
    return "\n".join([*lines, "", BOUNDS.read_text(encoding="utf-8").rstrip(), *details_of(kept)]).rstrip() + "\n"
