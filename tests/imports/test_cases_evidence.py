"""Rows whose keys and whose values speak of two objects: neither of them changes until a person decides."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.imports.mapping.headers import needs_mapping
from apps.imports.plan.plan import ImportPlan, plan_import
from apps.imports.reading.sources import from_path
from apps.imports.registry import spec_named
from apps.imports.results import ImportOptions

CASES = Path(__file__).parent / "cases"
# As they are in the bundled snapshot.
_AIRPORTS = """
7|UD21|Arzni Airport|AM|AM-KT|40.294102|44.564602||Nor Hachn
8|ANYN|Nauru International Airport|NR|NR-14|-0.547458|166.919006|INU|Yaren District
4185|LFPG|Charles de Gaulle International Airport|FR|FR-IDF|49.012798|2.55|CDG|Paris
2513|EHAM|Amsterdam Airport Schiphol|NL|NL-NH|52.308601|4.76389|AMS|Amsterdam
4|AGGM|Munda Airport|SB|SB-WE|-8.32797|157.263|MUA|Munda
45059|SCGC|Union Glacier Blue-Ice Runway|AQ|AQ-U-A|-79.777778|-83.320833||Union Glacier Camp
"""
_FIELDS = (
    *("id", "ident", "name", "iso_country", "iso_region", "latitude_deg", "longitude_deg"),
    *("iata_code", "municipality"),
)
AIRPORTS = [dict(zip(_FIELDS, line.split("|"), strict=True)) for line in _AIRPORTS.split("\n") if line]

pytestmark = pytest.mark.django_db


@pytest.fixture
def base(import_file) -> dict[str, dict[str, Any]]:
    """Import the airports that the cases are about, and return them as they are."""
    assert import_file(*AIRPORTS)["created"] == len(AIRPORTS)
    return rows()


def rows() -> dict[str, dict[str, Any]]:
    return {row["ident"]: row for row in Airport.objects.values()}


def case(number: str) -> Path:
    (path,) = CASES.glob(f"{number}-*")
    return path


def planned_case(number: str, spec: str = "ourairports", **options: Any) -> ImportPlan:
    plan = plan_import(from_path(case(number)), spec=spec_named(spec), options=ImportOptions(**options))
    plan.discard()
    return plan


def test_01_foreign_numbers_are_refused_by_line(base, capsys):
    with pytest.raises(CommandError, match="Every row"):
        call_command("import_airports", "--file", case("01"))

    assert "line 2, id: '7': its id names Arzni Airport (UD21, " in (out := capsys.readouterr().out)
    assert "its ident names Charles de Gaulle International Airport (LFPG, 0 m away)" in out
    assert rows() == base


def test_01_where_the_ident_counts_the_real_ones_are_meant(base, capsys):
    call_command("import_airports", "--file", case("01"), "--disputed", "ident")

    paris, arzni = Airport.objects.get(pk="LFPG"), Airport.objects.get(pk="UD21")
    assert (paris.source_id, paris.elevation_ft, paris.latitude_deg) == (4185, 392, 49.0128)
    assert (arzni.source_id, arzni.name) == (7, "Arzni Airport")
    assert Airport.objects.count() == len(AIRPORTS)


def test_01_where_the_id_counts_the_others_give_way(base):
    call_command("import_airports", "--file", case("01"), "--disputed", "id")

    assert Airport.objects.get(pk="LFPG").source_id == 7
    assert not Airport.objects.filter(source_id__in=(4185, 2513)).exists()


def test_neither_object_of_a_disputed_row_is_missing(base):
    plan = planned_case("01", missing="delete")

    assert (plan.counts.disputed, plan.counts.refused, plan.counts.missing) == (2, 2, 2)
    assert set(plan.missing) == {"AGGM", "SCGC"}


def test_02_row_numbers_for_ids_are_disputed(base):
    mapping = {"source_id": "id", "ident": "icao", "iata_code": "iata_code", "name": "name"}

    plan = planned_case("02", corrections=True, mapping=mapping)

    assert (plan.counts.disputed, plan.counts.updated) == (1, 0)
    assert plan.refusals[0].rule == "disputed"


def test_03_the_key_of_a_city_does_not_count_against_country_and_name():
    us, af = (Country.objects.create(iso_code=code, name=code) for code in ("US", "AF"))
    assert af.pk
    City.objects.create(pk=52, country=us, name="Baytown", latitude=29.7355, longitude=-94.9774)

    plan = planned_case("03", "cities", corrections=True)

    assert (plan.counts.disputed, plan.counts.updated, plan.counts.created) == (1, 0, 0)
    assert "its id names Baytown (52, " in plan.refusals[0].hint


def test_03_where_the_name_counts_it_is_a_new_city():
    us, _af = (Country.objects.create(iso_code=code, name=code) for code in ("US", "AF"))
    City.objects.create(pk=52, country=us, name="Baytown", latitude=29.7355, longitude=-94.9774)

    plan = planned_case("03", "cities", corrections=True, disputed="ident")

    assert (plan.counts.disputed, plan.counts.created, plan.counts.refused) == (1, 1, 0)


def test_a_snapshot_with_many_disputed_rows_is_refused_as_a_whole(base, import_file):
    foreign = [{**row, "id": other["id"]} for row, other in zip(AIRPORTS, [*AIRPORTS[1:], AIRPORTS[0]], strict=True)]

    with pytest.raises(CommandError, match=r"6 of 6 matched rows \(100.0 %\) are disputed.*line 2: .*--match ident"):
        import_file(*foreign)

    assert rows() == base


def test_superseded_airports_count_as_missing_ones_do(import_file, monkeypatch):
    monkeypatch.setattr("apps.imports.plan.missing.ALWAYS_ALLOWED", 1)
    import_file({"ident": "A"}, {"ident": "B"}, {"ident": "C"})
    newcomers = [{"id": "11", "ident": "A"}, {"id": "12", "ident": "B"}, {"id": "3", "ident": "C"}]

    with pytest.raises(CommandError, match=r"lacks 2 of 3 .*deleted \(2 of them since the file gives their ident"):
        import_file(*newcomers)

    assert import_file(*newcomers, options=("--missing-limit", "70"))["created"] == 2


@pytest.mark.parametrize(
    ("header", "asked"),
    [
        (["id", "name", "country_code", "latitude", "longitude"], True),
        ([column.field for column in spec_named("cities").columns], False),
        (["name", "country"], False),
    ],
)
def test_03_our_own_key_is_trusted_unasked_in_our_own_export_only(header, asked):
    assert needs_mapping(header, spec_named("cities"), ImportOptions(corrections=True)) is asked


def test_a_country_by_its_code_is_not_another_one_by_name_and_iso3(tmp_path):
    for code, iso3, name in (("CH", "CHE", "Switzerland"), ("DE", "DEU", "Germany")):
        Country.objects.create(iso_code=code, iso3=iso3, name=name)
    (path := tmp_path / "countries.csv").write_text("iso_code,iso3,name\nCH,DEU,Germany\n")

    plan = plan_import(from_path(path), spec=spec_named("countries"), options=ImportOptions(corrections=True))
    plan.discard()

    assert (plan.counts.disputed, plan.counts.updated) == (1, 0)


def test_an_ident_that_goes_on_to_a_new_airport_is_no_dispute_where_the_old_one_has_its_own_row(import_file):
    place = {"iso_country": "PK", "iso_region": "PK-BA", "latitude_deg": "25.2", "longitude_deg": "62.3"}
    old = {"id": "1", "ident": "OPGD", "name": "Gwadar International Airport", "iata_code": "GWD", **place}
    new = {"id": "2", "ident": "PK-0044", "name": "New Gwadar International Airport (planned)", **place}
    newest = {"id": "3", "ident": "PK-0045", "name": "Gwadar International Airport Two", **place}
    import_file(old, new, newest)
    # As upstream did in 2025: code and ident of the old one are those of the new one now. So on with a third one.
    file = (
        {**old, "ident": "PK-0691", "iata_code": ""},
        {**new, "ident": "OPGD", "name": "New Gwadar International Airport", "iata_code": "GWD"},
        {**newest, "ident": "PK-0044", "name": "New Gwadar International Airport (planned)"},
    )

    first, again = import_file(*file), import_file(*file)

    assert [first[key] for key in ("renamed", "refused", "disputed")] == [3, 0, 0]
    assert again["changeset"] is None


def test_two_neighbours_with_each_others_number_are_disputed(import_file):
    place = {"iso_country": "CH", "iso_region": "CH-ZH", "latitude_deg": "47.4", "longitude_deg": "8.5"}
    one = {"id": "1", "ident": "LSZH", "name": "Kloten", "iata_code": "ZRH", **place}
    other = {"id": "2", "ident": "LSMD", "name": "Dubendorf", "iata_code": "ZDO", **place}
    import_file(one, other)

    result = import_file({**one, "id": "2"}, {**other, "id": "1"})

    assert [result[key] for key in ("updated", "refused", "disputed")] == [0, 2, 2]
