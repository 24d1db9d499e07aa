"""Runs of imports as the tests of their pages want them: uploaded by somebody, with the rows of a stored plan."""

from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from apps.airports.models import Airport
from apps.changesets.acts.tokens import make_token
from apps.imports.models import ImportRun, PlannedRow, RefusedCell, RowKind
from apps.imports.registry import spec_named
from apps.imports.results import ImportOptions
from apps.imports.runs.confirming import mark_of
from apps.imports.runs.schema import schema_of

HEADER = [
    *("id", "ident", "type", "name", "latitude_deg", "longitude_deg", "elevation_ft", "iso_country", "iso_region"),
    *("municipality", "iata_code", "home_link"),
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
    given["summary"] = {"schema": schema_of(spec_named(given["spec"])), **(given.get("summary") or {})}
    return ImportRun.objects.create(**given)


# How many of each there are among the rows of a plan below.
COUNTS = {
    "total": 7, "created": 2, "updated": 3, "renamed": 1, "unchanged": 1, "refused": 1, "kept": 1,
    "missing": 2, "superseded": 1, "deleted_here": 1, "missing_to_change": 0,
    "country_links": 2, "countries_created": 1,
}  # fmt: skip


def plan_rows(run: ImportRun) -> dict[str, PlannedRow]:
    """Store one row of each sort, and the counts of them; the airports of `places` are what they are about."""
    rows = _rows()
    for row in rows.values():
        row.run, row.payload = run, {"values": {}, "links": {}, "upstream": None}
        row.save()
    RefusedCell.objects.create(
        run=run, line=8, column="latitude_deg", value="91", rule="too_large", hint="more than 90 degrees"
    )
    run.counts = COUNTS
    run.save()
    return rows


def _rows() -> dict[str, PlannedRow]:
    def new(line: int, ident: str, label: str, **more: Any) -> PlannedRow:
        return PlannedRow(line=line, kind=RowKind.NEW, new_pk=ident, label=label, **more)

    def changed(line: int, ident: str, label: str, **more: Any) -> PlannedRow:
        given = {"kind": RowKind.CHANGED, "old_pk": ident, "new_pk": ident, "changes": {}, **more}
        return PlannedRow(line=line, label=label, **given)

    def missing(ident: str, label: str, **more: Any) -> PlannedRow:
        return PlannedRow(kind=RowKind.MISSING, old_pk=ident, new_pk=ident, label=label, **more)

    kept = {"name": ["Denver International Airport", "Denver Intl", "Denver by hand"]}
    buckley = {"new_pk": "KBKX", "renamed": True, "changes": {"ident": ["KBKF", "KBKX"]}}
    return {
        "new": new(2, "EDDF", "Frankfurt Airport"),
        "back": new(3, "EDDT", "Tegel", deleted_here=True),
        "changed": changed(4, "EDDM", "Munich Airport", changes={"elevation_ft": [1487, 1486]}),
        "renamed": changed(5, "KBKF", "Buckley Space Force Base", **buckley),
        "kept": changed(6, "KDEN", "Denver by hand", kept=True, kept_values=kept),
        "unchanged": changed(7, "LSZH", "Zürich Airport", kind=RowKind.UNCHANGED, changes=None),
        "refused": PlannedRow(line=8, kind=RowKind.REFUSED, new_pk="XX01"),
        "missing": missing("OLD1", "Old Field"),
        "superseded": missing("OLD2", "Older Field", superseded=True),
    }


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


def seen_on(client: Client, run: ImportRun) -> str:
    """Return the token of the plan of a run as it is now, as its page would give it to the person who browses."""
    person = int(client.session["_auth_user_id"])
    return make_token(mark_of(run), user_id=person, act="confirm-import", subject=run.pk)
