"""Corrections change what they say and nothing else: what files and spreadsheets do to a value is no correction."""

from pathlib import Path

import pytest

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.models import Changeset
from apps.imports.plan.apply import apply_import
from apps.imports.plan.pins import pin
from apps.imports.plan.plan import plan_import
from apps.imports.reading.sources import from_path
from apps.imports.registry import spec_named
from apps.imports.results import ImportOptions, Refusal

pytestmark = pytest.mark.django_db
DIGITS = -104.67299652099613


@pytest.fixture
def correct(import_file):
    """Return a function that imports one row of corrections in the columns given, and returns the counts."""

    def run(options: tuple[str, ...] = (), **values: str) -> dict:
        return import_file(values, columns=[*values], options=("--source", "corrections", *options))

    return run


@pytest.fixture
def airport(import_file) -> Airport:
    import_file({"ident": "KDEN", "longitude_deg": repr(DIGITS), "municipality": ""})
    return Airport.objects.get()


@pytest.mark.parametrize("digits", [15, 16, 17])
def test_a_number_with_fewer_digits_is_the_same_number(correct, airport, digits):
    said = correct(ident="KDEN", longitude_deg=f"{DIGITS:.{digits}g}")

    assert (said["changeset"], said["unchanged"]) == (None, 1)


@pytest.mark.parametrize("moved", [2e-7, -2e-7, 1])
def test_a_number_that_is_another_one_is_taken(correct, airport, moved):
    correct(ident="KDEN", longitude_deg=repr(DIGITS + moved))

    assert Airport.objects.get().longitude_deg == DIGITS + moved


def test_a_pinned_number_with_fewer_digits_is_not_listed_as_kept(correct, airport, steward):
    pin(airport, "longitude_deg", note="surveyed", actor=steward)

    assert correct(ident="KDEN", longitude_deg=f"{DIGITS:.16g}", elevation_ft="1")["kept"] == 0
    assert correct(ident="KDEN", longitude_deg="-104", elevation_ft="2")["kept"] == 1


@pytest.mark.parametrize("name", [" spaced\t", "\u00a0wide\u3000", "\x1codd\x85"])
def test_spaces_at_the_ends_of_a_live_name_are_no_difference(correct, airport, name):
    Airport.objects.update(name=name)

    assert correct(ident="KDEN", name=name.strip())["changeset"] is None
    assert Airport.objects.get().name == name


def test_no_iata_code_and_an_empty_one_are_the_same_in_a_file(airport, import_file):
    Airport.objects.update(iata_code="")
    changesets = Changeset.objects.count()

    import_file({"ident": "KDEN", "iata_code": ""}, columns=["ident", "iata_code"], options=("--source", "corrections"))

    assert Changeset.objects.count() == changesets
    assert Airport.objects.get().iata_code == ""


def test_the_mark_of_a_lost_character_is_refused(correct, airport):
    said = correct(ident="KDEN", name="Denv\N{REPLACEMENT CHARACTER}r")

    assert (said["refused"], said["changeset"]) == (1, None)


def test_a_link_that_lacks_is_not_made_by_a_correction_of_something_else(correct, airport):
    Airport.objects.update(municipality="Denver", country=None)

    correct(ident="KDEN", elevation_ft="1")

    linked = Airport.objects.get()
    assert (linked.elevation_ft, linked.country, linked.city) == (1, None, None)


def test_a_corrected_municipality_is_linked(correct, airport):
    correct(ident="KDEN", municipality="Boulder")

    assert Airport.objects.get().city.name == "Boulder"


def clear(path: Path, spec: str) -> list[Refusal]:
    """Apply corrections whose blank cells clear, and return what is refused."""
    options = ImportOptions(corrections=True, blank="clear")
    plan = plan_import(from_path(path), spec=spec_named(spec), options=options)
    apply_import(plan, actor=None, reason="a test")
    return list(plan.refusals)


@pytest.mark.parametrize(("ident", "key"), [("KDEN", ""), ("", "1")])
def test_blank_cells_that_clear_never_clear_what_names_the_object(airport, airports_file, ident, key):
    header = ["id", "ident", "elevation_ft", "iata_code"]

    assert clear(airports_file({"id": key, "ident": ident, "iata_code": ""}, columns=header), "ourairports") == []

    changed = Airport.objects.get()
    assert (changed.pk, changed.source_id, changed.iata_code, changed.elevation_ft) == ("KDEN", 1, None, 5431)


def test_an_object_without_key_is_corrected_where_blank_cells_clear(airports_file):
    Airport.objects.create(ident="HAND", name="By hand", airport_type="heliport", elevation_ft=5)

    assert clear(airports_file(raw="id,ident,elevation_ft\n,HAND,\n"), "ourairports") == []
    assert Airport.objects.get().elevation_ft is None


def test_a_city_that_its_country_and_name_tell_keeps_its_key_where_blank_cells_clear(airports_file):
    city = City.objects.create(country=Country.objects.create(iso_code="CH", name="CH"), name="Chur", population=5)

    assert clear(airports_file(raw="id,country,name,population\n,CH,Chur,\n"), "cities") == []
    assert City.objects.values_list("pk", "population").get() == (city.pk, None)
