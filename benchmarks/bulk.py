"""`python -m benchmarks.bulk FOLDER`: bulk actions over all airports, each beside the bare UPDATE of the same rows.

The bare UPDATE is one statement with the history triggers on, in a transaction that is rolled back: it has no plan, no
changeset, no counts and no commit.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import django

from benchmarks.measure import timed
from benchmarks.run import Run
from benchmarks.steps import token_on

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


def measure_bulk(run: Run) -> None:
    """Note the actions on a database with both snapshots; the JSON of the process has the figures."""
    run.take("updated")
    done = run.plain(["-m", "benchmarks.bulk", str(run.scratch)])
    for name, figure in done.printed["actions"].items():
        run.add(name, {**figure, "rows": done.printed["rows"]})


def actions() -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the figures of each action: its page, itself, the bare UPDATE, and their queries."""
    from benchmarks.steps import WrongPage, log_in, user

    user()
    client = log_in()
    for name, values in ACTIONS.items():
        bare = bare_update(values)
        page, page_queries, shown = counted(lambda name=name: client.post(LIST, {"action": name, **ALL}))
        seen = token_on(shown.content.decode())
        posted = {"action": name, **ALL, "confirm": "yes", "reason": "benchmark", "seen": seen}
        done, done_queries, answer = counted(lambda posted=posted: client.post(LIST, posted))
        if "/changesets/changeset/" not in getattr(answer, "url", ""):
            raise WrongPage(f"{name} was not done: {answer.status_code}")
        yield name, {
            **done, "page": page, "page_queries": page_queries, "done_queries": done_queries, "bare": bare
        }  # fmt: skip


def counted(work: Callable[[], Any]) -> tuple[dict[str, float], int, Any]:
    """Return what the work took, the number of its queries, and its result."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        took, answer = timed(work, os.environ["DATABASE_URL"])
    return took, len(queries), answer


def bare_update(values: str) -> dict[str, float]:
    """Return what one UPDATE of all airports takes, which is not kept."""
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        took, _ = timed(lambda: cursor.execute(f"UPDATE airports_airport SET {values}"), os.environ["DATABASE_URL"])
        transaction.set_rollback(True)
    return took


def main() -> None:
    """Do the actions on the database of the environment, and print the figures as JSON."""
    os.environ["BENCHMARK_FOLDER"] = sys.argv[1]
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.console_settings"
    django.setup()
    from apps.airports.models import Airport

    print(json.dumps({"rows": Airport.objects.count(), "actions": dict(actions())}))


if __name__ == "__main__":
    main()
