"""Resolving shared IATA codes: one airport keeps each, the others lose it or go, and all comes back."""

import pytest

from apps.airports.models import Airport
from apps.changesets.models import Changeset
from tests.admin.bulk import LISTS, act, all_rows, confirm, newest, undo

pytestmark = pytest.mark.django_db
AIRPORTS = LISTS["airport"]


@pytest.fixture
def client(places, steward, browse_as):
    values = {"latitude_deg": 39.9, "longitude_deg": -104.7}
    Airport.objects.filter(pk="KDEN").update(latitude_deg=39.86, longitude_deg=-104.67)
    Airport.objects.create(ident="A1", name="Old Denver", airport_type="small_airport", iata_code="DEN", **values)
    Airport.objects.create(ident="B1", name="Munich Pad", airport_type="heliport", iata_code="MUC")
    return browse_as(steward)


def codes() -> dict:
    return dict(Airport.objects.values_list("pk", "iata_code"))


def test_all_groups_by_rule_the_large_airport_keeps_its_code(client):
    before = all_rows(Airport)

    confirm(client, AIRPORTS, "resolve_duplicates", select_across="1")

    assert codes() == {"KDEN": "DEN", "A1": None, "EDDM": "MUC", "B1": None, "KBKF": None}
    assert (newest().kind, newest().counts) == ("bulk_action", {"airports.airport": {"changed": 2}})
    undo(client, newest())
    assert all_rows(Airport) == before


def test_of_equals_the_one_with_an_ident_of_its_own_keeps_the_code(client):
    for ident in ("ID-RTI", "WATR"):
        Airport.objects.create(ident=ident, name="Roti", airport_type="small_airport", iata_code="RTI")

    confirm(client, AIRPORTS, "resolve_duplicates", select_across="1")

    assert (codes()["ID-RTI"], codes()["WATR"]) == (None, "RTI")


def test_the_others_may_be_deleted_and_come_back(client):
    before = all_rows(Airport)

    confirm(client, AIRPORTS, "resolve_duplicates", select_across="1", rule="delete")

    assert set(codes()) == {"KDEN", "EDDM", "KBKF"}
    assert newest().counts == {"airports.airport": {"deleted": 2}}
    undo(client, newest())
    assert all_rows(Airport) == before


def test_one_group_with_another_airport_kept(client):
    confirm(client, AIRPORTS, "resolve_duplicates", ["KDEN"], keep_DEN="A1")

    assert codes() == {"KDEN": None, "A1": "DEN", "EDDM": "MUC", "B1": "MUC", "KBKF": None}


def test_where_no_code_is_shared_it_says_so_and_asks_nothing(client):
    shown = act(client, AIRPORTS, "resolve_duplicates", ["KBKF"]).content.decode()
    done = confirm(client, AIRPORTS, "resolve_duplicates", ["KBKF"], rule="delete")

    assert "<strong>1</strong> shares no IATA code with another airport" in shown
    assert 'name="rule"' not in shown
    assert done.url == AIRPORTS
    assert Changeset.objects.filter(kind="bulk_action").count() == 0


def test_of_many_that_share_a_code_the_first_are_named(client):
    Airport.objects.bulk_create(
        Airport(ident=f"C{n}", name="x", airport_type="closed", iata_code="DEN") for n in range(8)
    )

    page = act(client, AIRPORTS, "resolve_duplicates", ["KDEN"]).content.decode()

    assert "DEN: KDEN keeps it, not A1, C0, C1, C2, C3 and 4 more" in page


def test_what_changes_unselected_is_said(client):
    one = act(client, AIRPORTS, "resolve_duplicates", ["KDEN"]).content.decode()
    both = act(client, AIRPORTS, "resolve_duplicates", ["KDEN", "A1"]).content.decode()

    assert "<strong>1</strong> of them is not selected: it shares a code with one that is" in one
    assert "not selected" not in both


def test_the_airports_stand_side_by_side(client):
    page = act(client, AIRPORTS, "resolve_duplicates", ["A1"]).content.decode()

    assert "A1 · Old Denver · Small airport · no links · 5.1 km from KDEN" in page
    assert "KDEN · Denver International Airport · Large airport · Denver, United States (US)" in page
    assert "DEN: KDEN keeps it, not A1" in page
    assert "MUC" not in page


def test_codes_that_nobody_shares_are_left_alone(client):
    Airport.objects.filter(pk__in=["A1", "B1"]).delete()
    before = Changeset.objects.count()

    page = act(client, AIRPORTS, "resolve_duplicates", select_across="1").content.decode()
    confirm(client, AIRPORTS, "resolve_duplicates", select_across="1")

    assert 'name="confirm"' not in page
    assert Changeset.objects.count() == before


def test_an_airport_that_has_not_the_code_cannot_keep_it(client):
    before = all_rows(Airport)

    response = confirm(client, AIRPORTS, "resolve_duplicates", ["KDEN"], keep_DEN="EDDM")

    assert response.status_code == 200
    assert all_rows(Airport) == before


def test_a_group_that_grew_meanwhile_is_shown_again(client):
    seen = act(client, AIRPORTS, "resolve_duplicates", ["KDEN"]).context["token"]
    Airport.objects.create(ident="C1", name="Denver Pad", airport_type="heliport", iata_code="DEN")
    before = all_rows(Airport)

    page = confirm(client, AIRPORTS, "resolve_duplicates", ["KDEN"], seen=seen).content.decode()

    assert "The selection is no longer what you were shown" in page
    assert all_rows(Airport) == before
