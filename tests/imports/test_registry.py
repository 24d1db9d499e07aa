"""Which imports there are, and that their columns are known by title, alias and the field's own name."""

import pytest

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.imports.mapping.layout import layout_of
from apps.imports.registry import all_specs, spec_for, spec_named
from apps.imports.results import ImportOptions
from tests.second_domain.models import Operator, Station


def test_the_imports_are_registered():
    assert {spec.name: spec.model for spec in all_specs()} == {
        "ourairports": Airport,
        "cities": City,
        "countries": Country,
        "geonames": City,
        "operators": Operator,
        "stations": Station,
    }


@pytest.mark.parametrize("model", [Airport, City, Country])
def test_import_of_a_model_is_found(model):
    assert spec_for(model).model is model


def test_unknown_import_is_named_with_those_there_are():
    with pytest.raises(
        LookupError, match=r"'towns'; there are: cities, countries, geonames, operators, ourairports, stations\."
    ):
        spec_named("towns")


@pytest.mark.parametrize("name", ["ourairports", "cities", "countries"])
def test_columns_are_known_by_the_name_of_the_field(name):
    spec = spec_named(name)
    fields = [column.field for column in spec.columns]

    layout = layout_of([f.upper() for f in fields], spec, options=ImportOptions(corrections=True), name="export.csv")

    assert [(column.field, index) for column, index in layout.columns] == [
        (field, index) for index, field in enumerate(fields)
    ]
