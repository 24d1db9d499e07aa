"""`python -m benchmarks.bulk FOLDER`: bulk actions over all airports, each beside the bare UPDATE of the same rows.

The bare UPDATE is one statement with the history triggers on, in a transaction that is rolled back: it has no plan, no
changeset, no counts and no commit.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import django

from benchmarks.measure import Measurement, make_empty, run_child
from benchmarks.pages import token_on

LIST = "/admin/airports/airport/"
ALL = {"select_across": "1", "_selected_action": ["all"]}
FIRST_PLACES = "country_id = (SELECT MIN(id) FROM base_country), city_id = (SELECT MIN(id) FROM base_city)"
# The actions in their order, each with what the bare UPDATE sets; a city that is cleared is there for relinking only.
ACTIONS = {
    "set_inactive": "active = NOT active",
    "clear_country": "country_id = NULL",
    "clear_city": "city_id = NULL",
    "relink": FIRST_PLACES,
}


def measure_bulk(url: str, *, update: Path | None, scratch: Path) -> Measurement:
    """Return the measurement of the actions on a fresh database with both snapshots; its JSON has the numbers."""
    make_empty(url)
    run_child(["manage.py", "migrate", "--verbosity", "0"], url=url)
    for source in (["--bundled"], ["--file", str(update)] if update else []):
        if source:
            run_child(["manage.py", "import_airports", "--json", *source], url=url)
    return run_child(["-m", "benchmarks.bulk", str(scratch)], url=url)


def table_of_bulk(measured: list[Measurement], database: str) -> str:
    """Return the medians of the actions as a Markdown table; nothing where none was measured."""
    if not measured:
        return ""
    lines = [
        f"| {database}, {measured[0].printed['rows']:,} airports (goals: page <= 1 s, <= 30 queries, SQLite <= 5 s, "
        "PostgreSQL <= 2 x) | page | queries | done | queries | bare UPDATE with history | ratio |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, first in measured[0].printed["actions"].items():
        page, done, bare = (
            median(run.printed["actions"][name][timing] for run in measured) for timing in ("page", "done", "bare")
        )
        lines.append(
            f"| {name} | {page:.2f} s | {first['page_queries']} | {done:.2f} s | {first['done_queries']} "
            f"| {bare:.2f} s | {done / bare:.2f} x |"
        )
    lines += ["", f"Peak memory: {max(run.peak_mb for run in measured):.0f} MB"]
    return "\n".join(lines) + "\n"


def actions() -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the figures of each action: its page, itself, the bare UPDATE, and their queries."""
    from benchmarks.pages import WrongPage, log_in, user

    user()
    client = log_in()
    for name, values in ACTIONS.items():
        bare = bare_update(values)
        page, page_queries, shown = timed(lambda name=name: client.post(LIST, {"action": name, **ALL}))
        seen = token_on(shown.content.decode())
        posted = {"action": name, **ALL, "confirm": "yes", "reason": "benchmark", "seen": seen}
        done, done_queries, answer = timed(lambda posted=posted: client.post(LIST, posted))
        if "/result/" not in getattr(answer, "url", ""):
            raise WrongPage(f"{name} was not done: {answer.status_code}")
        yield name, {
            "page": page, "page_queries": page_queries, "done": done, "done_queries": done_queries, "bare": bare
        }  # fmt: skip


def timed(work: Callable[[], Any]) -> tuple[float, int, Any]:
    """Return the seconds, the number of queries and the result."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    started = time.perf_counter()
    with CaptureQueriesContext(connection) as queries:
        answer = work()
    return round(time.perf_counter() - started, 3), len(queries), answer


def bare_update(values: str) -> float:
    """Return the seconds of one UPDATE of all airports, which is not kept."""
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        started = time.perf_counter()
        cursor.execute(f"UPDATE airports_airport SET {values}")
        seconds = time.perf_counter() - started
        transaction.set_rollback(True)
    return round(seconds, 3)


def main() -> None:
    """Do the actions on the database of the environment, and print the figures as JSON."""
    os.environ["BENCHMARK_FOLDER"] = sys.argv[1]
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.console_settings"
    django.setup()
    from apps.airports.models import Airport

    print(json.dumps({"rows": Airport.objects.count(), "actions": dict(actions())}))


if __name__ == "__main__":
    main()
