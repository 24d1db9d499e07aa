"""Rows matched by a key that a person chose, through the command and the plan of the admin alike."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.imports.errors import OptionsContradict
from apps.imports.plan.plan import plan_import
from apps.imports.reading.sources import from_path
from apps.imports.registry import spec_named
from apps.imports.results import ImportOptions

pytestmark = pytest.mark.django_db
CASES = Path(__file__).parent / "cases"
CORRECTIONS = ("--source", "corrections")
DENVER = {"ident": "KDEN", "iata_code": "DEN", "gps_code": "KDEN"}
ZURICH = {
    "ident": "LSZH",
    "iata_code": "ZRH",
    "gps_code": "LSZH",
    "name": "Zurich Airport",
    "iso_country": "CH",
    "iso_region": "CH-ZH",
    "municipality": "Zurich",
    "latitude_deg": "47.46",
    "longitude_deg": "8.55",
}


@pytest.fixture(autouse=True)
def airports(import_file):
    import_file(DENVER, ZURICH)


@pytest.fixture
def correct(import_file):
    """Return a function that imports rows as corrections with just the columns that they fill."""

    def run(*rows: dict, match: str, more: tuple[str, ...] = ()) -> dict:
        return import_file(*rows, columns=[*rows[0]], options=(*CORRECTIONS, "--match", match, *more))

    return run


def names() -> dict[str, str]:
    return dict(Airport.objects.values_list("ident", "name"))


def refusals(raw: str, airports_file, spec: str = "ourairports", **options) -> list[str]:
    plan = plan_import(
        from_path(airports_file(raw=raw)), spec=spec_named(spec), options=ImportOptions(corrections=True, **options)
    )
    listed = [str(refusal) for refusal in plan.refusals]
    plan.discard()
    return listed


def test_27_corrections_are_matched_by_iata_code(capsys):
    path = str(CASES / "27-iata-only.csv")

    call_command("import_airports", "--file", path, "--match", "iata", "--json", *CORRECTIONS)

    result = json.loads(capsys.readouterr().out)
    assert (result["updated"], result["refused"]) == (2, 0)
    assert names() == {"KDEN": "Denver X", "LSZH": "Zurich X"}


@pytest.mark.parametrize("title", ["gps_code", "icao_code", "icao"])
def test_an_icao_code_matches_a_gps_code_and_only_names(correct, title):
    result = correct({title: "KDEN", "name": "Denver X"}, match="icao")

    assert (result["updated"], Airport.objects.get(pk="KDEN").icao_code) == (1, None)
    assert names()["KDEN"] == "Denver X"


def test_a_shared_key_refuses_the_row_and_names_the_first_three(airports_file):
    Airport.objects.filter(pk="LSZH").update(iata_code="DEN")
    Airport.objects.bulk_create(Airport(ident=f"X{n}", name=f"X {n}", iata_code="DEN") for n in range(3))

    assert refusals("iata_code,name\nDEN,New\n", airports_file, match="iata") == [
        "line 2, iata_code: 'DEN': KDEN (Denver International Airport), LSZH (Zurich Airport), X0 (X 0) and others "
        "share this IATA code: name one by another key"
    ]


def test_a_blank_key_and_one_of_nobody_are_refused(airports_file):
    assert refusals("iata_code,name\n,New\nXXX,New\n", airports_file, match="iata") == [
        "line 2, iata_code: '': a correction must name its object",
        "line 3, (row): '': no such object",
    ]


def test_a_file_without_the_key_is_refused_in_one_sentence(correct):
    with pytest.raises(CommandError, match="lacks the columns iata_code"):
        correct({"ident": "KDEN", "name": "x"}, match="iata")


def test_under_another_key_the_file_renames_nothing_and_gives_no_number(correct):
    result = correct({"id": "2", "ident": "LSZH", "iata_code": "DEN", "name": "Denver X"}, match="iata")

    denver = Airport.objects.get(pk="KDEN")
    assert (result["updated"], result["renamed"]) == (1, 0)
    assert (denver.source_id, denver.name) == (1, "Denver X")


def test_a_snapshot_matched_by_ident_keeps_the_numbers_of_the_objects(import_file):
    result = import_file({**ZURICH, "id": "1"}, {**DENVER, "id": "2"}, options=("--match", "ident"))

    assert (result["updated"], result["renamed"], result["missing"]) == (0, 0, 0)
    assert dict(Airport.objects.values_list("ident", "source_id")) == {"KDEN": 1, "LSZH": 2}


def test_a_snapshot_matched_by_ident_makes_unknown_ones_without_a_taken_number(import_file):
    result = import_file({**DENVER}, {"ident": "NEW", "id": "2"}, {"ident": "NEWER"}, options=("--match", "ident"))

    assert (result["created"], result["missing"]) == (2, 1)
    assert dict(Airport.objects.filter(ident__startswith="NEW").values_list("ident", "source_id")) == {
        "NEW": None,
        "NEWER": 3,
    }


def test_a_snapshot_matched_by_iata_refuses_blank_keys_and_takes_no_ident_of_a_living_one(import_file):
    rows = ({**DENVER, "iata_code": ""}, {**ZURICH, "iata_code": "XXX"})

    result = import_file(*rows, options=("--match", "iata"))

    assert (result["refused"], result["created"], result["updated"]) == (2, 0, 0)


def test_two_rows_about_one_object_are_refused(correct):
    rows = [{"iata_code": "DEN", "name": name} for name in ("One", "Two")]

    assert correct(*rows, match="iata")["refused"] == 2


def test_a_match_by_name_takes_the_one_nearby_and_refuses_the_far_one_with_the_distance(airports_file):
    raw = "name,iso_country,latitude_deg,longitude_deg,elevation_ft\nZURICH  airport,CH,47.5,8.5,1400\n"
    far = raw.replace("47.5", "45.5")

    assert refusals(raw, airports_file, match="name") == []
    assert refusals(far, airports_file, match="name") == [
        "line 2, latitude_deg: '45.5, 8.5': 218 km from the airport of this name: it is another one, "
        "or name it by another key"
    ]


def test_a_match_by_name_changes_other_values_only(correct):
    result = correct({"iso_country": "CH", "name": "ZURICH AIRPORT", "elevation_ft": "1400"}, match="name")

    zurich = Airport.objects.get(pk="LSZH")
    assert (result["updated"], zurich.name, zurich.elevation_ft) == (1, "Zurich Airport", 1400)


def test_31_keys_in_lower_case_name_objects_where_that_was_ticked(import_file):
    path = str(CASES / "31-lower-case-keys.csv")
    assert import_file(raw=Path(path).read_text(), options=CORRECTIONS)["refused"] == 1

    result = import_file(raw="ident,name\nkden,Denver X\n", options=(*CORRECTIONS, "--ignore-case"))

    assert (result["updated"], names()["KDEN"]) == (1, "Denver X")


@pytest.mark.parametrize(("match", "key"), [("iata", "iata_code"), ("icao", "gps_code")])
def test_other_keys_may_be_in_lower_case_too(correct, match, key):
    code = DENVER[key].lower()

    assert correct({key: code, "name": "Denver X"}, match=match, more=("--ignore-case",))["updated"] == 1


def test_case_is_ignored_in_corrections_only(import_file):
    with pytest.raises(CommandError, match="--ignore-case is for corrections"):
        import_file(DENVER, options=("--ignore-case",))


@pytest.mark.parametrize(("spec", "match"), [("cities", "name"), ("countries", "iso3"), ("countries", "name")])
def test_cities_and_countries_are_matched_by_choice_too(airports_file, spec, match):
    Country.objects.filter(iso_code="CH").update(iso3="CHE")
    keys = {"cities": "id,country,name\n99,CH,Zurich", "countries": "iso_code,iso3,name\nDE,CHE,Switzerland"}
    head, row = keys[spec].split("\n")
    raw = f"{head},latitude\n{row},46.5\n"

    source = from_path(airports_file(raw=raw))
    plan = plan_import(source, spec=spec_named(spec), options=ImportOptions(corrections=True, match=match))

    assert (plan.counts.updated, plan.counts.refused) == (1, 0)
    plan.discard()


def test_a_key_that_a_model_does_not_have_is_refused(airports_file):
    with pytest.raises(OptionsContradict, match="Cities cannot be matched by iata: use id, name"):
        refusals("id,name\n1,x\n", airports_file, spec="cities", match="iata")


def test_04_a_namesake_far_from_the_airports_of_a_city_is_refused_with_the_distance(import_file, capsys):
    pearl = {"ident": "LL10", "municipality": "Pearl City", "latitude_deg": "42.26", "longitude_deg": "-89.82"}
    import_file(DENVER, ZURICH, {**pearl, "id": "3", "iso_region": "US-IL"})
    before = City.objects.filter(name="Pearl City").values().get()

    with pytest.raises(CommandError, match="Every row"):
        call_command("import_cities", "--file", str(CASES / "04-geonames-namesake.txt"))

    assert "6,659 km from the nearest of what the city is linked with" in capsys.readouterr().out
    assert City.objects.filter(name="Pearl City").values().get() == before


def test_a_shared_code_is_no_evidence_against_country_place_and_name_together(airports_file):
    row = {"iata_code": "DEN", "name": "Denham", "iso_country": "GB", "latitude_deg": 51.58, "longitude_deg": -0.51}
    text = f"{','.join(row)}\n{','.join(map(str, row.values()))}\n"

    (refusal,) = refusals(text, airports_file, match="iata")

    assert "iata_code: 'DEN': its iata_code names" in refusal
    assert "and it is about Denham: say which counts" in refusal
    assert refusals(text, airports_file, match="iata", disputed="id") == []
