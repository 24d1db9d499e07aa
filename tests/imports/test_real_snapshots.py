"""The real files of OurAirports: October 2022, which the repository carries, and spring 2026."""

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from django.db.models import F

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.base.text import search_form, slug_stem
from apps.changesets.models import Changeset
from apps.imports.export.formats import Csv
from apps.imports.export.tables import resource_of
from apps.quality.findings import count_findings, findings_of
from apps.quality.rules import rule_named
from tests.imports.trips import recorded

SPRING_2026 = Path(settings.BASE_DIR).parent / "shared" / "data" / "ourairports" / "airports-2026-04.csv.gz"

pytestmark = pytest.mark.django_db


def run(*options: str) -> dict:
    out = StringIO()
    call_command("import_airports", *options, "--json", stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture(scope="module")
def bundled(django_db_setup: None, django_db_blocker) -> Iterator[dict]:
    """What the import of the snapshot of 2022 said; each test here starts from it and is rolled back to it."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield run("--bundled")
        transaction.set_rollback(True)


def some(result: dict, *keys: str) -> list[int]:
    return [result[key] for key in keys]


def test_real_snapshot_of_2022_goes_in_whole_and_a_second_time_changes_nothing(bundled):
    assert some(bundled, "total", "created", "refused", "countries_created", "cities_created") == [
        73623, 73623, 0, 245, 34263,
    ]  # fmt: skip
    assert some(bundled, "country_links", "city_links") == [73623, 73623 - 5084]
    assert Airport.objects.filter(active=False).count() == 9508
    assert Airport.objects.filter(iata_code="0").count() == 52
    assert not City.objects.exclude(country__airports__city=F("pk")).exists()
    assert all(search == search_form(name) for name, search in City.objects.values_list("name", "search_name"))
    numbered = [slug for name, slug in City.objects.values_list("name", "slug") if slug != slug_stem(name)]
    assert len(numbered) == 175

    known_truths_are_found()

    history, changesets = Airport.history.count(), Changeset.objects.count()
    again = run("--bundled")
    assert some(again, "changeset", "created", "updated", "unchanged") == [None, 0, 0, 73623]
    assert (Airport.history.count(), Changeset.objects.count()) == (history, changesets)


def known_truths_are_found() -> None:
    """The rules find what is known of this snapshot; here, since it takes seconds to get it in."""
    found = count_findings()
    shared = findings_of(rule_named("iata_shared")).values_list("iata_code", flat=True)

    assert (found["iata_zero"], found["iata_shared"], len({*shared})) == (52, 44, 22)
    assert (found["ident_lower"], found["ident_case"], found["ident_damaged"]) == (42, 0, 0)
    assert (found["position_zero"], found["position_country"], found["near_duplicate"]) == (4, 1, 328)
    assert findings_of(rule_named("position_country")).get().name == "MIAA"
    assert (found["municipality_missing"], found["country_unlinked"], found["city_unlinked"]) == (5084, 0, 0)


@pytest.mark.once
def test_real_snapshot_goes_out_and_in_without_a_change(bundled, tmp_path):
    tables = (Airport, City, Country)
    before, path = recorded(*tables), tmp_path / "airports.csv"
    with path.open("wb") as out:
        Csv().write(resource_of(Airport)().table(Airport.objects.all()), out)

    said = run("--file", str(path))

    assert some(said, "changeset", "total", "unchanged", "refused") == [None, 73623, 73623, 0]
    assert recorded(*tables) == before


@pytest.mark.skipif(not SPRING_2026.exists(), reason="the snapshot of 2026 is not part of the repository")
def test_real_snapshot_of_2026_over_that_of_2022(bundled):
    planned = run("--file", str(SPRING_2026), "--dry-run")
    result = run("--file", str(SPRING_2026))

    keys = ("total", "created", "updated", "renamed", "unchanged", "disputed", "kept", "missing", "countries_created")
    # One row is disputed: its number names an airport 4,530 km away.
    assert some(result, *keys) == [85009, 11504, 28505, 6431, 44999, 1, 0, 118, 2]
    assert some(planned, *keys) == some(result, *keys)
    superseded = Changeset.objects.get(pk=result["changeset"]).summary["counts"]["superseded"]
    assert Airport.objects.count() == 73623 + 11504 - superseded
    assert Country.objects.count() == 247
    again = run("--file", str(SPRING_2026))
    assert some(again, "changeset", "created", "updated", "missing") == [None, 0, 0, 118 - superseded]
