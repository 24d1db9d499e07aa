"""`python -m benchmarks.edit FOLDER recorded|unrecorded SAVES`: one person saves one airport, again and again.

One UPDATE then changes every third airport, and is rolled back. `unrecorded` runs on tables without triggers; it saves
the same objects in a transaction of their own.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import django

from benchmarks.measure import timed

SAVES, FEW_SAVES = 40, 3
LIST = "/admin/airports/airport/"


def several(work: Callable[[Any], object], airports: list[Any]) -> dict[str, float]:
    """Return the median of the seconds of the work on each airport, and the mean of its CPU seconds."""
    url = os.environ["DATABASE_URL"]
    work(airports[0])
    each = []

    def all_of_them() -> None:
        for airport in airports[1:]:
            each.append(timed(lambda airport=airport: work(airport), url)[0]["seconds"])

    whole, _ = timed(all_of_them, url)
    return {"seconds": median(each), "cpu": whole["cpu"] / len(each)}


def recorded(saves: int) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield a save in the admin, and a save in a changeset."""
    from django.db import transaction

    from apps.changesets.context import changeset
    from apps.changesets.recording import BY_SET
    from benchmarks.steps import log_in, user

    who = user()
    client = log_in()
    forms = forms_of(client, saves)

    def in_a_changeset(airport: Any) -> None:
        airport.municipality += "+"
        with changeset(kind="edit", actor=who):
            airport.save()

    yield "save in the admin", several(lambda form: saved(client.post(*form)), forms)
    yield "recorded save", several(in_a_changeset, chosen(saves))
    for name, promise in (("row by row", ""), ("by set", BY_SET)):
        with transaction.atomic():
            with changeset(kind="bulk_action", actor=who):
                figure = update_of_a_third(promise)
            transaction.set_rollback(True)
        yield f"UPDATE of a third of the rows, recorded {name}", figure


def forms_of(client: Any, saves: int) -> list[tuple[str, dict[str, Any]]]:
    """Return the address of each form, and what a browser would send after a change."""
    from django.test.utils import setup_test_environment, teardown_test_environment

    from tests.torture.acts import form_of

    # Only so do pages tell of their forms; what is measured runs without it.
    setup_test_environment(debug=False)
    addresses = [f"{LIST}{airport.pk}/change/" for airport in chosen(saves)]
    forms = [(address, {**form_of(client, address), "municipality": "Saved"}) for address in addresses]
    teardown_test_environment()
    return forms


def saved(answer: Any) -> None:
    """Complain unless a form was saved."""
    if answer.status_code != 302:
        raise RuntimeError(f"The form was not saved: {answer.status_code}")


def unrecorded(saves: int) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield a save in a transaction of its own."""
    from django.db import transaction

    def alone(airport: Any) -> None:
        airport.municipality += "-"
        with transaction.atomic():
            airport.save()

    yield "unrecorded save", several(alone, chosen(saves))
    with transaction.atomic():
        figure = update_of_a_third()
        transaction.set_rollback(True)
    yield "UPDATE of a third of the rows, unrecorded", figure


def update_of_a_third(promise: str = "") -> dict[str, float]:
    """Return what one UPDATE takes that changes two fields of every third airport; a promise stands before it."""
    from django.db import connection

    statement = """
        UPDATE airports_airport SET elevation_ft = COALESCE(elevation_ft, 0) + 1, municipality = municipality || '+'
        WHERE source_id % 3 = 0
    """
    with connection.cursor() as cursor:
        figure, _ = timed(lambda: cursor.execute(f"{promise}{statement}"), os.environ["DATABASE_URL"])
    return figure


def chosen(saves: int) -> list[Any]:
    """Return so many airports, which are saved."""
    from apps.airports.models import Airport

    return list(Airport.objects.order_by("pk")[:: max(1, Airport.objects.count() // saves)][:saves])


def main() -> None:
    """Save, and print what it took."""
    folder, part, saves = sys.argv[1:]
    os.environ["BENCHMARK_FOLDER"] = folder
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.console_settings"
    django.setup()
    print(json.dumps(dict({"recorded": recorded, "unrecorded": unrecorded}[part](int(saves)))))


if __name__ == "__main__":
    main()
