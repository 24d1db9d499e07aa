"""`python -m benchmarks.pages FOLDER PART`: pages of the admin, opened in one process; prints their figures as JSON.

Each page is opened once to count its queries, and then five times, of which the median counts. `lists` are the pages
of section 7 of the design in a world of 20 imports; `plan` the stored plan of an import that the worker has made;
`revert` the plan of a revert, which a person asks for once. In `hottest` the statements of the lists that take the
database longest are explained.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

import django

from benchmarks.measure import timed
from benchmarks.run import Run

AIRPORTS, CHANGESETS = "/admin/airports/airport/", "/admin/changesets/changeset/"
OPENED = {"once": 1, "few": 2, "all": 5}
LISTS = {
    "airports": AIRPORTS,
    "airports, page 2": f"{AIRPORTS}?p=2",
    "airports, last page": f"{AIRPORTS}?p=last",
    "airports by name": f"{AIRPORTS}?o=2",
    "airports found: denver": f"{AIRPORTS}?q=denver",
    "airports found: a name that is not there": f"{AIRPORTS}?q=qqzzqq",
    "airports of a type": f"{AIRPORTS}?airport_type__exact=heliport",
    "airports without a city": f"{AIRPORTS}?links=no-city",
    "airports of a type, found": f"{AIRPORTS}?airport_type__exact=small_airport&q=field",
    "cities": "/admin/base/city/",
    "search of everything: denver": "/admin/search/?q=denver",
    "history of an airport": f"{AIRPORTS}{{airport}}/history/",
    "page of an airport": f"{AIRPORTS}{{airport}}/change/",
    "recycle bin": f"{CHANGESETS}recycle-bin/",
    "changesets": CHANGESETS,
    "changes of the first import": f"{CHANGESETS}{{first}}/change/",
    "changes of the update": f"{CHANGESETS}{{update}}/change/",
    "import runs": "/admin/imports/importrun/",
    "findings": "/admin/quality/finding/",
    "dashboard": "/admin/",
}
PLAN = {
    "plan of the update, first page": "",
    "plan of the update, further page": "?start=200",
    "plan of the update, updated rows": "?bucket=updated",
}
REVERT = {
    "revert plan, first page": "",
    "revert plan, restored, row 100": "?bucket=restored&start=100",
    "revert plan, restored, row 10,000": "?bucket=restored&start=10000",
    "revert plan, deleted, row 200": "?bucket=deleted&start=200",
}


def measure_pages(run: Run) -> None:
    """Note the pages of a world that was used for a while, and those of plans."""
    for part, world in (("lists", "used"), ("plan", "first"), ("revert", "updated")):
        run.take(world)
        if part == "plan":
            step = ["-m", "benchmarks.steps", str(run.scratch)]
            run.plain([*step, "user"])
            run.plain([*step, "open", str(run.update or run.first)])
            run.plain([*step, "work"])
        opened = "once" if run.quick else "all"
        for name, figure in run.plain(["-m", "benchmarks.pages", str(run.scratch), part, opened]).printed.items():
            run.add(name, figure)


def lists(times: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the figures of each list, and the statements that took longest."""
    from apps.airports.models import Airport
    from apps.changesets.history.counts import total
    from apps.changesets.models import Changeset

    imports = sorted(Changeset.objects.filter(kind="import"), key=lambda made: -total(made.counts))
    # One that lives, and was changed lately.
    edited = Airport.history.filter(history_type="~").order_by("-history_id").values_list("ident", flat=True)[:50]
    busiest = Airport.objects.filter(pk__in=list(edited)).values_list("pk", flat=True).first()
    places = {"airport": busiest, "first": imports[0].pk, "update": imports[min(1, len(imports) - 1)].pk}
    client, slowest = visitor(), []
    for name, address in LISTS.items():
        address = address.format(**places).replace("p=last", f"p={Airport.objects.count() // 100}")
        figure, queries = opened(client, address, times)
        slowest += [(float(query["time"]), query["sql"], name) for query in queries]
        yield name, figure
    yield "hottest", {"printed": {"queries": explained(slowest)}, "seconds": 0.0}


def plan(times: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the figures of the pages of the plan that a worker has made of the update."""
    from benchmarks.steps import latest_run

    address = f"/admin/imports/importrun/{latest_run().pk}/change/"
    client = visitor()
    for name, query in PLAN.items():
        yield name, opened(client, address + query, times)[0]


def revert(times: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what the making of the plan of a revert of the newest import takes, and its pages."""
    from apps.changesets.models import Changeset
    from benchmarks.steps import work

    address = f"{CHANGESETS}{Changeset.objects.filter(kind='import').latest('pk').pk}/revert/"
    client = visitor()

    def make() -> None:
        client.post(address, {"show": "plan"})
        client.get(address)
        work()

    yield "revert plan is made", timed(make, os.environ["DATABASE_URL"])[0]
    for name, query in REVERT.items():
        yield name, opened(client, address + query, times)[0]


def visitor() -> Any:
    """Return the browser of a person who may do everything, who has looked at a page."""
    from django.contrib.auth.models import User
    from django.test import Client

    from benchmarks.steps import user

    client = Client(HTTP_X_FORWARDED_PROTO="https")
    client.force_login(user() or User.objects.get(username="bench"))
    client.get(CHANGESETS)
    return client


def opened(client: Any, address: str, times: int) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Open a page; return the median of its seconds, its CPU seconds, queries and bytes, and its statements."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    started = time.perf_counter()
    client.get(address, follow=True)
    cold = time.perf_counter() - started
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(address, follow=True)
    # The next request empties the log that they are in.
    captured = list(queries)
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answers {answer.status_code}")
    url, seconds = os.environ["DATABASE_URL"], []

    def again() -> None:
        for _ in range(times):
            seconds.append(timed(lambda: client.get(address, follow=True), url)[0]["seconds"])

    cpu = timed(again, url)[0]["cpu"] / times
    figure = {"seconds": median(seconds), "cpu": round(cpu, 4), "cold": round(cold, 3), "queries": len(captured)}
    return {**figure, "bytes": len(answer.content)}, captured


def explained(slowest: list[tuple[float, str, str]], number: int = 10) -> list[dict[str, Any]]:
    """Return the statements that took the database longest, each once, with how it goes about them."""
    from django.db import connection

    chosen: dict[str, tuple[float, str]] = {}
    for seconds, sql, page in sorted(slowest, reverse=True):
        if sql.lstrip().upper().startswith(("SELECT", "WITH")) and len(chosen) < number:
            chosen.setdefault(sql, (seconds, page))
    answers = []
    for sql, (seconds, page) in chosen.items():
        with connection.cursor() as cursor:
            prefix = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN (COSTS OFF) "
            cursor.execute(prefix + sql.replace("%", "%%"), [])
            lines = [str(row[-1]) for row in cursor.fetchall()]
        answers.append({"page": page, "seconds": seconds, "sql": sql, "plan": lines})
    return answers


def main() -> None:
    """Open the pages of a part, and print what they took."""
    folder, part, opened_so = sys.argv[1:]
    os.environ["BENCHMARK_FOLDER"] = folder
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.console_settings"
    django.setup()
    pages = {"lists": lists, "plan": plan, "revert": revert}[part]
    print(json.dumps(dict(pages(OPENED[opened_so]))))


if __name__ == "__main__":
    main()
