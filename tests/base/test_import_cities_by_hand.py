"""Importing the console's own file of cities."""

import pytest

from apps.base.models import City, Country
from apps.changesets.models import Changeset
from apps.imports.errors import ColumnsMissing, OptionsContradict
from apps.imports.plan.pins import pin
from apps.imports.plan.plan import plan_import
from apps.imports.reading.sources import from_path
from apps.imports.registry import spec_named

pytestmark = pytest.mark.django_db
HEADER = "id,country,name,ascii_name,latitude,longitude,timezone,population,active"


def refusals(plan) -> list[tuple[int, str, str, str]]:
    return [(each.line, each.column, each.value, each.rule) for each in plan.refusals]


def test_new_city_gets_key_slug_and_ascii_name(import_table, zurich):
    plan, opened = import_table("cities", HEADER, ",CH,Genève,,46.2,6.1,Europe/Zurich,203856,yes")

    city = City.objects.get(name="Genève")
    assert (plan.counts.created, opened.kind) == (1, "import")
    assert city.pk > zurich.pk
    assert (city.ascii_name, city.search_name, city.slug) == ("Geneve", "genève", "geneve")
    assert (city.country.iso_code, city.population, city.timezone, city.active) == ("CH", 203856, "Europe/Zurich", True)


def test_city_is_known_by_country_and_comparable_name(import_table, zurich):
    plan, opened = import_table("cities", "country,name,population", "CH,ZÜRICH,400000")

    zurich.refresh_from_db()
    assert (plan.counts.updated, plan.counts.created) == (1, 0)
    assert (zurich.population, zurich.name, zurich.latitude) == (400000, "ZÜRICH", 47.4)
    assert City.history.filter(changeset=opened).count() == 1


def test_city_renamed_by_id_keeps_its_slug_and_is_found_by_its_new_name(import_table, zurich):
    import_table("cities", "id,name", f"{zurich.pk},Züri")

    zurich.refresh_from_db()
    assert (zurich.name, zurich.search_name, zurich.slug, zurich.ascii_name) == ("Züri", "züri", "zurich", "Zuri")


@pytest.mark.parametrize(
    ("before", "header", "row", "after"),
    [
        ("Zurich", "name", "Züri", "Zuri"),
        ("Zurich", "name,ascii_name", "Züri,", "Zuri"),
        ("Zurich", "name,ascii_name", "Züri,Turicum", "Turicum"),
        ("Zurich", "name,ascii_name", "Züri,Zurich", "Zurich"),
        ("Turicum", "name", "Züri", "Turicum"),
        ("Turicum", "name,ascii_name", "Züri,", "Turicum"),
        ("", "name", "Züri", "Zuri"),
        ("Zurich", "name,population", "Zürich,1", "Zurich"),
    ],
)
def test_the_ascii_name_follows_the_name_unless_it_is_another(import_table, zurich, before, header, row, after):
    City.objects.update(ascii_name=before)
    cells = (f"id,{header}", f"{zurich.pk},{row}")

    import_table("cities", *cells)
    _plan, again = import_table("cities", *cells)

    zurich.refresh_from_db()
    assert (zurich.ascii_name, zurich.slug, again) == (after, "zurich", None)


def test_a_pinned_ascii_name_does_not_follow(import_table, zurich):
    pin(zurich, "ascii_name", actor=None, note="as on the signs")

    import_table("cities", "id,name", f"{zurich.pk},Züri")

    zurich.refresh_from_db()
    assert (zurich.name, zurich.ascii_name) == ("Züri", "Zurich")


def test_the_plan_shows_what_follows(plan_of, zurich):
    plan = plan_of("cities", "id,name", f"{zurich.pk},Züri")

    assert {"name", "ascii_name"} <= set(plan.staging.shown)
    assert plan.staging.rows("SELECT name, ascii_name FROM {changed}") == [("Züri", "Zuri")]


def test_same_values_again_change_nothing(import_table, zurich):
    row = f"{zurich.pk},CH,Zürich,Zurich,47.4,8.5,,,true"
    history = City.history.count()

    plan, opened = import_table("cities", HEADER, row)

    assert (plan.counts.unchanged, opened) == (1, None)
    assert City.history.count() == history
    assert not Changeset.objects.filter(kind="import").exists()


def test_slug_is_numbered_among_old_and_new_cities(import_table, switzerland):
    City.objects.create(country=switzerland, name="Sao Joao")

    import_table("cities", "country,name", "CH,São João", "CH,São-João", "CH,X")

    assert list(City.objects.order_by("pk").values_list("slug", flat=True)) == [
        *("sao-joao", "sao-joao-2", "sao-joao-3", "x")
    ]


def test_unknown_country_is_refused_and_not_made(import_table, switzerland):
    plan, _opened = import_table("cities", "country,name", "XX,Nowhere", "CH,Bern")

    assert refusals(plan) == [(2, "country", "XX", "unknown")]
    assert plan.refusals[0].hint == "there is no country with this iso code: add it first, or mend the code"
    assert (plan.counts.refused, plan.counts.created, Country.objects.count()) == (1, 1, 1)


def test_id_that_no_city_has_is_refused(plan_of, zurich):
    plan = plan_of("cities", "id,country,name", "999999,CH,Bern")

    assert refusals(plan) == [(2, "id", "999999", "unknown_object")]
    assert plan.refusals[0].hint == "no city has this id: leave the cell blank for a new one"


def test_name_that_another_city_of_the_country_has_is_refused_and_names_it(plan_of, zurich, switzerland):
    bern = City.objects.create(country=switzerland, name="Bern")

    plan = plan_of("cities", "id,name", f"{bern.pk},zürich")

    assert refusals(plan) == [(2, "name", "zürich", "taken")]
    assert plan.refusals[0].hint == f"Zürich (id {zurich.pk}) has this country and name already"
    assert not plan.to_write


def test_two_cities_that_swap_names_are_both_refused(plan_of, zurich, switzerland):
    bern = City.objects.create(country=switzerland, name="Bern")

    plan = plan_of("cities", "id,name", f"{bern.pk},Zürich", f"{zurich.pk},Bern")

    assert [each.rule for each in plan.refusals] == ["taken", "taken"]


def test_two_rows_of_one_new_city_are_both_refused(plan_of, switzerland):
    plan = plan_of("cities", "country,name", "CH,Bern", "CH,BERN", "CH,Basel")

    assert refusals(plan) == [(2, "name", "Bern", "twice_in_file"), (3, "name", "BERN", "twice_in_file")]
    assert plan.refusals[0].hint == "line 3 has the same country and name; both are refused"
    assert (plan.counts.created, plan.counts.refused) == (1, 2)


def test_two_rows_of_one_old_city_are_both_refused(plan_of, zurich):
    plan = plan_of("cities", "id,country,name,population", f"{zurich.pk},,,1", ",CH,Zürich,2")

    assert [(each.line, each.rule) for each in plan.refusals] == [(2, "twice_in_file"), (3, "twice_in_file")]


def test_city_that_would_take_its_slug_to_a_country_that_has_it_is_refused(plan_of, zurich):
    germany = Country.objects.create(iso_code="DE", name="Germany")
    other = City.objects.create(country=germany, name="Zurich")

    plan = plan_of("cities", "id,country", f"{zurich.pk},DE")

    assert refusals(plan) == [(2, "country", "DE", "taken")]
    assert plan.refusals[0].hint == f"Zurich (id {other.pk}) has this country and slug already"


def test_new_city_does_not_take_the_slug_that_another_brings_along(import_table, zurich):
    Country.objects.create(iso_code="DE", name="Germany")

    import_table("cities", "id,country,name", f"{zurich.pk},DE,", ",DE,Zurich")

    assert dict(City.objects.values_list("name", "slug")) == {"Zürich": "zurich", "Zurich": "zurich-2"}


def test_row_that_names_no_city_is_refused(plan_of, zurich):
    plan = plan_of("cities", "id,country,name,population", ",CH,,5")

    assert [(each.rule, each.hint) for each in plan.refusals] == [("required", "a correction must name its object")]


def test_row_that_names_no_city_is_refused_by_the_column_that_is_blank(plan_of, zurich):
    plan = plan_of("cities", "country,name,population", "CH,,5", ",Bern,5")

    assert [each.column for each in plan.refusals] == ["name", "country"]


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("active", "perhaps", "not_boolean"),
        ("timezone", "Europe/Zürich", "unknown"),
        ("population", "-1", "out_of_range"),
        ("latitude", "91", "out_of_range"),
        ("name", "ﷺ" * 20, "too_long"),
    ],
)
def test_bad_cell_is_refused_at_its_line(plan_of, zurich, column, value, rule):
    plan = plan_of("cities", f"id,{column}", f"{zurich.pk},{value}")

    assert refusals(plan) == [(2, column, value, rule)]


def test_file_without_id_and_without_name_is_refused_with_a_sentence(plan_of):
    with pytest.raises(ColumnsMissing, match="lacks the columns id or country and name"):
        plan_of("cities", "country,population", "CH,1")


def test_cities_are_corrections_only(tmp_path):
    path = tmp_path / "cities.csv"
    path.write_text("country,name\nCH,Bern\n")

    with pytest.raises(OptionsContradict, match="Cities have no upstream"):
        plan_import(from_path(path), spec=spec_named("cities"))
