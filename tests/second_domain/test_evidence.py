"""Evidence against a match works for any model that declares it: a register number against code, name and operator."""

import pytest

from tests.second_domain.conftest import row
from tests.second_domain.models import Operator, Station


def test_the_number_does_not_count_against_code_and_name(world, load):
    load(row("80-1", "BN", "Bern"))

    assert dict(Station.objects.values_list("number", "name")) == {"85-1": "Bern", "85-2": "Basel", "80-1": "Ulm"}


def test_both_stations_of_a_disputed_row_are_there(world, plan):
    counts = plan(row("80-1", "BN", "Bern", platforms="14"), missing="deactivate").counts

    assert (counts.disputed, counts.refused, counts.missing) == (1, 1, 1)


@pytest.mark.parametrize(("key", "changed"), [("id", {}), ("ident", {"85-1": 14})])
def test_a_person_says_which_key_counts(world, load, key, changed):
    load(row("80-1", "BN", "Bern", platforms="14"), disputed=key)

    platforms = {"85-1": 12, "85-2": None, "80-1": 8, **changed}
    assert dict(Station.objects.values_list("number", "platforms")) == platforms


def test_a_station_that_is_renamed_is_not_disputed(world, plan):
    assert plan(row("85-1", "BERN", "Bundesstadt")).counts.disputed == 0


def test_an_automatic_key_does_not_count_against_code_and_name(world, plan):
    sbb = {"id": str(world["SBB"].pk), "code": "DB", "name": "Deutsche Bahn"}

    counts = plan(sbb, model=Operator, corrections=True).counts

    assert (counts.disputed, counts.updated) == (1, 0)
