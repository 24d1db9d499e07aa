"""Guesses and changes of values for models of another kind: what an app declares beside its columns is used."""

from dataclasses import replace

import pytest

from apps.imports.looks import looks, shaped
from apps.imports.mapping.changes import ValueChange
from apps.imports.mapping.guesses import guess_columns
from apps.imports.mapping.headers import needs_mapping
from apps.imports.results import ImportOptions
from tests.second_domain.columns import OPERATORS, STATIONS
from tests.second_domain.conftest import row
from tests.second_domain.models import Station

CODES = looks("codes of stations", shaped("[A-Z]{2}"))
LOOKING = replace(
    STATIONS,
    columns=tuple(replace(column, looks_like=CODES if column.field == "code" else ()) for column in STATIONS.columns),
)


def test_titles_that_differ_in_case_or_have_the_model_before_them_are_guessed():
    header = ["Register-Number", "STATION NAME", "Run by"]

    found = {guess.field: (guess.title, guess.why) for guess in guess_columns(header, [], STATIONS)}

    like = "its title is ours but for case and punctuation"
    assert found == {"number": ("Register-Number", like), "name": ("STATION NAME", like)}


def test_declared_looks_find_a_column_under_any_title_and_say_why():
    found = guess_columns(["Kürzel", "x"], [["BN", "1"], ["BS", "2"]], LOOKING)

    assert [(guess.field, guess.place, guess.why) for guess in found] == [
        ("code", 0, "its values look like codes of stations: BN, BS")
    ]


def test_numbers_are_read_as_they_are_written():
    (guess,) = guess_columns(["platforms"], [["1 200"], ["8"]], STATIONS)

    assert guess.change == ValueChange("thousands", "space")


@pytest.mark.parametrize(
    ("header", "asked"),
    [
        (["id", "code", "name"], False),
        (["id", "name", "code"], True),
        (["code", "name"], False),
    ],
)
def test_the_database_s_own_key_is_trusted_unasked_only_in_an_export(header, asked):
    assert needs_mapping(header, OPERATORS, ImportOptions(corrections=True), []) is asked


def test_values_are_changed_before_they_are_parsed_and_a_constant_needs_no_column(world, load):
    given = row("85-1", " bn ", "Bern  West", platforms="1'200")
    del given["operator"]
    changes = {
        "code": (ValueChange("upper"),),
        "name": (ValueChange("trim"),),
        "operator": (ValueChange("constant", "SBB"),),
    }

    load(given, changes=changes, thousands="apostrophe", corrections=True)

    bern = Station.objects.get(number="85-1")
    assert (bern.code, bern.name, bern.platforms, bern.operator) == ("BN", "Bern West", 1200, world["SBB"])


def test_a_key_is_changed_in_rows_that_are_refused_too(world, plan):
    made = plan(
        row("85-1", "bn", "Bern", platforms="many"), corrections=False, changes={"code": (ValueChange("upper"),)}
    )

    assert [refusal.column for refusal in made.refusals] == ["platforms"]
    assert made.counts.missing == 2
