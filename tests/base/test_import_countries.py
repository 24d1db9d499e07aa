"""Importing the console's own file of countries."""

import pytest

from apps.base.models import Country

pytestmark = pytest.mark.django_db
HEADER = "iso_code,iso3,name,latitude,longitude,active"


def test_new_country_gets_key_and_slug(import_table):
    plan, _opened = import_table("countries", HEADER, "CI,CIV,Côte d'Ivoire,7.5,-5.5,")

    country = Country.objects.get()
    assert plan.counts.created == 1
    assert (country.search_name, country.slug, country.active) == ("côte d'ivoire", "cote-divoire", True)


def test_country_is_known_by_its_code_and_renamed(import_table, switzerland):
    plan, opened = import_table("countries", "iso_code,name,active", "CH,Suisse,no")

    country = Country.objects.get()
    assert (plan.counts.updated, country.pk, country.active) == (1, switzerland.pk, False)
    assert (country.name, country.search_name, country.slug) == ("Suisse", "suisse", "switzerland")
    assert Country.history.filter(changeset=opened).count() == 1


def test_blank_cell_leaves_the_value_alone(import_table, switzerland):
    _plan, opened = import_table("countries", HEADER, "CH,,,,,")

    assert opened is None
    assert Country.objects.get().iso3 == "CHE"


@pytest.mark.parametrize(
    ("row", "column", "value", "rule"),
    [
        ("QQ,,Nowhere", "iso_code", "QQ", "unknown"),
        ("ch,,Switzerland", "iso_code", "ch", "unknown"),
        ("DE,de,Germany", "iso3", "de", "unknown"),
        (",DEU,Germany", "iso_code", "", "required"),
        ("DE,DEU,", "(row)", "", "unknown_object"),
    ],
)
def test_bad_row_is_refused_at_its_line(plan_of, switzerland, row, column, value, rule):
    plan = plan_of("countries", "iso_code,iso3,name", row)

    assert [(each.line, each.column, each.value, each.rule) for each in plan.refusals] == [(2, column, value, rule)]


def test_code_in_two_rows_is_refused_in_both(plan_of, switzerland):
    plan = plan_of("countries", "iso_code,name", "DE,Germany", "DE,Deutschland", "CH,A", "CH,B")

    assert [(each.line, each.rule) for each in plan.refusals] == [(line, "twice_in_file") for line in (2, 3, 4, 5)]
