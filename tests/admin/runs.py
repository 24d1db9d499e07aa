"""Runs of imports as the tests of their pages want them: uploaded by somebody, with the rows of a stored plan."""

from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from apps.airports.models import Airport
from apps.imports.models import ImportRun, Operation, PlannedRow, RefusedCell
from apps.imports.results import ImportOptions

HEADER = [
    *("id", "ident", "type", "name", "latitude_deg", "longitude_deg", "elevation_ft", "iso_country", "iso_region"),
    *("municipality", "iata_code", "keywords"),
]
IMPORTS = "/admin/imports/importrun/"


def make_run(actor: User | None, **values: Any) -> ImportRun:
    """Return a run of a snapshot, planned unless the values say otherwise."""
    options = values.pop("options", ImportOptions())
    given = {
        "spec": "ourairports",
        "status": "planned",
        "actor": actor,
        "actor_name": actor.username if actor else "",
        "reason": "spring refresh",
        "file_name": "airports.csv",
        "file_sha256": "ab" * 32,
        "file_size": 1000,
        "kept_as": "kept.gz",
        "header": HEADER,
        "counts": {},
        "options": options.as_json(),
        **values,
    }
    return ImportRun.objects.create(**given)


def plan_rows(run: ImportRun) -> dict[str, PlannedRow]:
    """Store one row of each sort, and the counts of them; the airports of `places` are what they are about."""
    rows = {
        "new": PlannedRow(line=2, operation=Operation.NEW, natural="EDDF", label="Frankfurt Airport"),
        "back": PlannedRow(line=3, operation=Operation.NEW, natural="EDDT", label="Tegel", deleted_here=True),
        "changed": PlannedRow(
            line=4,
            operation=Operation.CHANGED,
            object_id="EDDM",
            natural="EDDM",
            label="Munich Airport",
            changes={"elevation_ft": [1487, 1486]},
        ),
        "renamed": PlannedRow(
            line=5,
            operation=Operation.CHANGED,
            object_id="KBKF",
            natural="KBKX",
            label="Buckley Space Force Base",
            renamed=True,
            changes={"ident": ["KBKF", "KBKX"]},
        ),
        "kept": PlannedRow(
            line=6,
            operation=Operation.CHANGED,
            object_id="KDEN",
            natural="KDEN",
            label="Denver by hand",
            kept=True,
            changes={},
            kept_values={"name": ["Denver International Airport", "Denver Intl", "Denver by hand"]},
        ),
        "unchanged": PlannedRow(
            line=7, operation=Operation.UNCHANGED, object_id="LSZH", natural="LSZH", label="Zürich Airport"
        ),
        "refused": PlannedRow(line=8, operation=Operation.REFUSED, natural="XX01"),
        "missing": PlannedRow(operation=Operation.MISSING, object_id="OLD1", natural="OLD1", label="Old Field"),
        "superseded": PlannedRow(
            operation=Operation.MISSING, object_id="OLD2", natural="OLD2", label="Older Field", superseded=True
        ),
    }
    for row in rows.values():
        row.run, row.payload = run, {"values": {}, "links": {}, "upstream": None}
        row.save()
    RefusedCell.objects.create(
        run=run, line=8, column="latitude_deg", value="91", rule="too_large", hint="more than 90 degrees"
    )
    run.counts = {
        "total": 7,
        "created": 2,
        "updated": 3,
        "renamed": 1,
        "unchanged": 1,
        "refused": 1,
        "kept": 1,
        "missing": 2,
        "superseded": 1,
        "deleted_here": 1,
        "missing_to_change": 0,
        "country_links": 2,
        "countries_created": 1,
    }
    run.save()
    return rows


def page(client: Client, run: ImportRun, **query: Any) -> Any:
    """Open the page of a run."""
    return client.get(f"{IMPORTS}{run.pk}/change/", query)


def act(client: Client, run: ImportRun, what: str, **posted: Any) -> Any:
    """Post to one of the addresses of a run, and follow where it leads."""
    return client.post(f"{IMPORTS}{run.pk}/{what}/", posted, follow=True)


def told(response: Any) -> list[str]:
    """Return the messages that a page shows."""
    return [str(message) for message in response.context["messages"]]


def names_here() -> list[str]:
    """Return the airports that there are."""
    return list(Airport.objects.order_by("pk").values_list("pk", flat=True))
