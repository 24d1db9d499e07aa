"""Relink, Clear country and Clear city on an airport's page."""

import pytest

from apps.airports.models import Airport
from apps.changesets.context import changeset
from apps.changesets.models import Changeset

pytestmark = pytest.mark.django_db
ACTIONS = "/admin/airports/airport/KDEN/actions/"


def links() -> tuple:
    airport = Airport.objects.get(pk="KDEN")
    return airport.country, airport.city


@pytest.mark.parametrize(("tool", "place"), [("clear_country", 0), ("clear_city", 1)])
def test_a_link_is_cleared_by_a_post_alone(tool, place, places, operator, browse_as):
    client = browse_as(operator)

    page = client.get(f"{ACTIONS}{tool}/").content.decode()
    assert None not in links()
    client.post(f"{ACTIONS}{tool}/", {"reason": "wrong", "confirm": "yes"})

    made = Changeset.objects.first()
    assert f"airport will be without {tool.removeprefix('clear_')}" in page
    assert [link is None for link in links()] == [place == 0, place == 1]
    assert (made.kind, made.actor, made.reason) == ("bulk_action", operator, "wrong")


def test_relinking_finds_country_and_city_by_the_codes(places, operator, browse_as, edit):
    edit("KDEN", country=None, city=places["munich"], municipality="  DENVER ")

    browse_as(operator).post(f"{ACTIONS}relink/", {"reason": "was lost"})

    assert links() == (places["usa"], places["denver"])
    assert Changeset.objects.first().kind == "relink"


@pytest.mark.parametrize(
    ("codes", "sentence"),
    [
        ({"iso_country": "XX"}, "have a country code that no country has"),
        ({"iso_country": ""}, "have a country code that no country has"),
        ({"municipality": ""}, "name no municipality"),
        ({"municipality": "Nowhere"}, "name a municipality that no city is called"),
    ],
)
def test_what_cannot_be_linked_is_told_and_left(codes, sentence, places, operator, browse_as, edit):
    edit("KDEN", **codes)
    before = Changeset.objects.count()
    client = browse_as(operator)

    page = client.get(f"{ACTIONS}relink/").content.decode()
    client.post(f"{ACTIONS}relink/", {"reason": "x"})

    assert sentence in page
    assert "There is nothing to change" in page
    assert links() == (places["usa"], places["denver"])
    assert Changeset.objects.count() == before


def test_without_a_reason_nothing_is_cleared(places, operator, browse_as):
    page = browse_as(operator).post(f"{ACTIONS}clear_city/", {"reason": " "}).content.decode()

    assert "Say why" in page
    assert None not in links()


def test_a_change_meanwhile_is_shown_first(places, operator, browse_as, edit):
    client = browse_as(operator)
    seen = client.get(f"{ACTIONS}clear_city/").context["plan"].seen
    edit("KDEN", city=places["munich"])

    page = client.post(f"{ACTIONS}clear_city/", {"reason": "x", "seen": seen}).content.decode()

    assert "no longer what you were shown" in page
    assert links()[1] == places["munich"]


def test_an_airport_deleted_in_another_tab_is_told(places, operator, browse_as):
    with changeset(kind="delete", actor=None):
        Airport.objects.filter(pk="KDEN").delete()
    before = Changeset.objects.count()

    answer = browse_as(operator).post(f"{ACTIONS}clear_city/", {"reason": "x"}, follow=True)

    assert "is deleted, or has another key by now: nothing was done." in answer.content.decode()
    assert Changeset.objects.count() == before
