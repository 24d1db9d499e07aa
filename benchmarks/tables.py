"""The tables below the goals: every figure that was measured, part by part, on both databases."""

from collections.abc import Iterator
from typing import Any

from benchmarks.figures import Figure, Kept, cpu_of, middle
from benchmarks.statements import plan, statement

DATABASES = ("SQLite", "PostgreSQL")
PROCESSES = {
    "import": "First import of 73,623 airports",
    "update": "Update of 2022 to 2026, 85,009 rows",
    "plan": "The same update through the admin, in one process each",
    "edit": "One edit",
    "commands": "Commands that look at everything, and what a start costs",
    "backups": "Backups of the database with both snapshots, beside `sqlite3 .backup` and `pg_dump`",
    "memory": "The worker alone, by format",
    "peers": "Packages of others, whole files, once",
}
HOW = {
    "edit": "Forty saves each: the form of the admin, the object in a changeset, and on tables without triggers.",
    "commands": "`django.setup()` with the packages has every app but the console's own.",
    "backups": "Seconds without the start of Python.",
    "peers": (
        "django-pghistory has no import: it is the floor's SQL on tables with its triggers. "
        "django-reversion reverts 73,623 airports that were all changed."
    ),
}
SIZED = (
    "import",
    "plan of the update, stored",
    "update",
    "revert of the update",
    "revert of the import",
    "validate",
    "airports",
    "airports, last page",
    "airports found: denver",
    "search of everything: denver",
    "findings",
    "recycle bin",
    "history of an airport",
    "changes of the first import",
    "plan of the update, first page",
    "plan of the update, further page",
    "revert plan is made",
    "revert plan, first page",
    "revert plan, restored, row 100",
)


def milliseconds(seconds: float) -> str:
    """Return a short time in words."""
    return f"{1000 * seconds:.0f} ms"


def megabytes(size: float) -> str:
    """Return a size in words."""
    return f"{size / 1e6:.1f} MB"


def machine_of(kept: Kept) -> Iterator[str]:
    """Yield on what each part was measured, with which versions, when, and how busy that was."""
    newest = max(kept.documents.values(), key=lambda document: document.get("ended", ""), default={})
    if not newest:
        yield "Nothing has been measured."
        return
    versions: dict[str, str] = {}
    for document in kept.documents.values():
        versions |= document.get("versions", {})
    yield f"- Machine: {newest['cores']} cores ({newest['processor']}), {newest['memory_gb']} GB, {newest['system']}."
    yield f"- Versions: {', '.join(f'{name} {number}' for name, number in versions.items())}."
    for database in DATABASES:
        told = [
            f"{part} ({_rounds_of(document)}, {document['ended']}, `{document['commit']}`, load {_load_of(document)})"
            for name, document in sorted(kept.documents.items())
            if (part := document["part"]) and document["database"] == database and document.get("ended")
        ]
        yield f"- {database}: {', '.join(told) or 'nothing yet'}."


def _rounds_of(document: dict[str, Any]) -> str:
    rounds = max(map(len, document["figures"].values()))
    return "once" if rounds == 1 else f"{rounds} rounds"


def _load_of(document: dict[str, Any]) -> str:
    loads = [figure["load"] for figures in document["figures"].values() for figure in figures]
    return f"{middle(loads):.0f}"


def details_of(kept: Kept) -> Iterator[str]:
    """Yield the lines of all tables."""
    for part, title in PROCESSES.items():
        yield from _processes(kept, part, title)
    yield from _bulk(kept)
    yield from _pages(kept)
    yield from _growth(kept)
    yield from _history(kept)
    yield from _load(kept)
    yield from _hottest(kept)


def _processes(kept: Kept, part: str, title: str) -> Iterator[str]:
    names = list(dict.fromkeys(name for database in DATABASES for name in kept.names(part, database)))
    yield from ("", f"## {title}", "")
    if not names:
        yield f"Not measured yet: `--only {part}`."
        return
    if part in HOW:
        yield from (HOW[part], "")
    yield "| | " + " | ".join(f"{db}: CPU | clock | memory" for db in DATABASES) + " |"
    yield "|---|" + "---:|" * 6
    for name in names:
        yield f"| {name} | " + " | ".join(_three(kept, part, database, name) for database in DATABASES) + " |"


def _three(kept: Kept, part: str, database: str, name: str) -> str:
    cpu, seconds = kept.cpu(part, database, name), kept.seconds(part, database, name)
    if cpu is None or seconds is None:
        return "| |"
    figures = kept.all(part, database, name)
    peak = kept.peak(part, database, name) if "peak_mb" in figures[0] else None
    return f"{_time(cpu)} | {_time(seconds)} | {f'{peak:.0f} MB' if peak else ''}"


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{1000 * seconds:.1f} ms"


def _bulk(kept: Kept) -> Iterator[str]:
    names = list(dict.fromkeys(name for database in DATABASES for name in kept.names("bulk", database)))
    yield from ("", "## Bulk actions over all airports", "")
    if not names:
        yield "Not measured yet: `--only bulk`."
        return
    yield "CPU; beside each one bare `UPDATE` of the same rows with the triggers on, without plan, counts and commit."
    yield from ("", "| | " + " | ".join(f"{db}: page | done | queries | bare | ratio" for db in DATABASES) + " |")
    yield "|---|" + "---:|" * 10
    for name in names:
        yield f"| `{name}` | " + " | ".join(_bulk_cells(kept.all("bulk", db, name)) for db in DATABASES) + " |"


def _bulk_cells(figures: list[Figure]) -> str:
    if not figures:
        return "| | | |"
    page, bare = (middle(figure[key]["cpu"] for figure in figures) for key in ("page", "bare"))
    done, queries = middle(cpu_of(figure) for figure in figures), figures[0]["done_queries"]
    return f"{page:.2f} s | {done:.2f} s | {queries} | {bare:.2f} s | {done / bare:.2f} x"


def _pages(kept: Kept) -> Iterator[str]:
    names = [name for db in DATABASES for name in kept.names("pages", db) if name != "hottest"]
    yield from ("", "## Pages", "")
    if not names:
        yield "Not measured yet: `--only pages`."
        return
    yield (
        "Median of five, warm, in one process, after 20 imports (two whole snapshots, eighteen files of corrections) "
        "and 2,000 deletions; CPU of process and server. The plans are of the update."
    )
    yield from ("", "| | " + " | ".join(f"{db}: CPU | clock | queries | kB" for db in DATABASES) + " |")
    yield "|---|" + "---:|" * 8
    for name in dict.fromkeys(names):
        yield f"| {name} | " + " | ".join(_page_cells(kept.all("pages", db, name)) for db in DATABASES) + " |"


def _page_cells(figures: list[Figure]) -> str:
    if not figures:
        return "| | |"
    figure = figures[0]
    times = f"{milliseconds(cpu_of(figure))} | {milliseconds(figure['seconds'])}"
    return (
        f"{times} | {figure.get('queries', '')} | {figure['bytes'] / 1000:.0f}" if "bytes" in figure else f"{times} | |"
    )


def _growth(kept: Kept) -> Iterator[str]:
    yield from (
        "",
        "## Growth",
        "",
        "CPU on generated files (`benchmarks/generated.py`), once; of processes also the peak of memory.",
    )
    for database in DATABASES:
        sizes = sorted({int(name.partition(":")[0]) for name in kept.names("growth", database)})
        yield ""
        if not sizes:
            yield f"{database}: not measured yet: `--only growth`."
            continue
        yield f"| {database} | " + " | ".join(f"{size:,} rows" for size in sizes) + " |"
        yield "|---|" + "---:|" * len(sizes)
        for name in SIZED:
            cells = [_sized(kept.all("growth", database, f"{size}: {name}")) for size in sizes]
            if any(cells):
                yield f"| {name} | " + " | ".join(cells) + " |"


def _sized(figures: list[Figure]) -> str:
    if not figures:
        return ""
    told = _time(cpu_of(figures[0]))
    return f"{told}, {figures[0]['peak_mb']:.0f} MB" if "peak_mb" in figures[0] else told


def _history(kept: Kept) -> Iterator[str]:
    yield from ("", "## History over imports in turns", "")
    for database in DATABASES:
        notes = {name: kept.printed("history", database, name) for name in kept.names("history", database)}
        notes = {name: note for name, note in notes.items() if "rows" in note and "database" in note}
        if not notes:
            yield f"{database}: not measured yet: `--only history`."
            continue
        yield from (
            f"| {database} | database | history of airports | its rows | fields changed so far |",
            "|---|---:|---:|---:|---:|",
        )
        for name, note in notes.items():
            sizes = f"{megabytes(note['database'])} | {megabytes(note['history'])}"
            yield f"| {name} | {sizes} | {note['rows']:,} | {note['fields']:,} |"
        whole = [note for name, note in notes.items() if name.endswith("imports")]
        fields = whole[-1]["fields"] - whole[0]["fields"]
        if fields:
            yield from (
                "",
                f"{(whole[-1]['history'] - whole[0]['history']) / fields:.0f} bytes for each changed field.",
                "",
            )


def _load(kept: Kept) -> Iterator[str]:
    yield from (
        "",
        "## Twenty people",
        "",
        "Through gunicorn with two processes of four threads; people, server and database share the cores.",
    )
    for database in DATABASES:
        phases = {name: kept.printed("load", database, name) for name in kept.names("load", database) if name != "lost"}
        yield ""
        if not phases:
            yield f"{database}: not measured yet: `--only load`."
            continue
        each = "number | median | p95 | longest"
        yield f"| {database} | took | pages: {each} | saves: {each} | told | errors |"
        yield "|---|" + "---:|" * 11
        for name, met in phases.items():
            other = f"{met['other']:.1f} s" if isinstance(met["other"], float) else met["other"] or ""
            cells = [
                cell
                for kind in ("page", "save")
                for cell in (
                    str(met[kind]["number"]),
                    *(f"{met[kind][key]:.2f} s" for key in ("median", "p95", "longest")),
                )
            ]
            yield f"| {name} | {other} | {' | '.join(cells)} | {met['told']} | {met['errors']} |"


def _hottest(kept: Kept) -> Iterator[str]:
    yield from ("", "## The statements of pages that take longest, explained")
    yield from (
        "",
        "`fold(name)` is the expression that compares text without accents and case (`apps/changesets/folding.py`).",
    )
    for database in DATABASES:
        queries = kept.printed("pages", database, "hottest").get("queries", [])
        if not queries:
            continue
        yield from ("", f"### {database}")
        for query in queries:
            took = f"{query['page']}, {milliseconds(query['seconds'])}"
            yield from ("", f"{took}: `{statement(query['sql'])}`", "", "```", *plan(query["plan"]), "```")
