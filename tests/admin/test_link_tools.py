"""Relink, Clear country and Clear city on the page of an object: the bulk actions, on that one."""

import pytest

from apps.airports.models import Airport
from apps.changesets.context import changeset
from apps.changesets.models import Changeset

pytestmark = pytest.mark.django_db
ACTIONS = "/admin/airports/airport/KDEN/actions/"


def links(ident: str = "KDEN") -> tuple:
    airport = Airport.objects.get(pk=ident)
    return airport.country, airport.city


@pytest.mark.parametrize(("tool", "place"), [("clear_country", 0), ("clear_city", 1)])
def test_a_link_is_cleared_by_a_post_alone(tool, place, places, steward, browse_as):
    client = browse_as(steward)

    client.get(f"{ACTIONS}{tool}/")
    assert None not in links()
    answer = client.post(f"{ACTIONS}{tool}/", {"reason": "wrong", "confirm": "yes"})

    made = Changeset.objects.first()
    assert answer.url == f"/admin/changesets/changeset/{made.pk}/change/"
    assert [link is None for link in links()] == [place == 0, place == 1]
    assert None not in links("KBKF")
    assert (made.kind, made.actor, made.reason) == ("bulk_action", steward, "wrong")


def test_relinking_finds_country_and_city_by_the_codes(places, operator, browse_as, edit):
    edit("KDEN", country=None, city=None, municipality="DENVER")

    browse_as(operator).post(f"{ACTIONS}relink/", {"reason": "was lost"})

    assert links() == (places["usa"], places["denver"])
    assert Changeset.objects.first().kind == "relink"


@pytest.mark.parametrize(
    ("table", "key", "tool"), [("city", "denver", "clear_city"), ("country", "usa", "clear_country")]
)
def test_a_place_is_cleared_from_its_airports_and_they_are_relinked(table, key, tool, places, steward, browse_as):
    client, page = browse_as(steward), f"/admin/base/{table}/{places[key].pk}/actions/"

    client.post(f"{page}{tool}/", {"reason": "wrong"})
    cleared = [None in links(ident) for ident in ("KDEN", "KBKF", "EDDM")]

    assert cleared == [True, True, False]
    assert client.get(f"{page}relink/").status_code == 200


def test_without_a_reason_nothing_is_cleared(places, steward, browse_as):
    page = browse_as(steward).post(f"{ACTIONS}clear_city/", {"reason": " "}).content.decode()

    assert "Say why" in page
    assert None not in links()


def test_a_change_meanwhile_is_shown_first(places, steward, browse_as, edit):
    client = browse_as(steward)
    seen = client.get(f"{ACTIONS}clear_city/").context["token"]
    edit("KDEN", city=places["munich"])

    page = client.post(f"{ACTIONS}clear_city/", {"reason": "x", "seen": seen}).content.decode()

    assert "The selection is no longer what you were shown" in page
    assert links()[1] == places["munich"]


def test_an_airport_deleted_in_another_tab_is_told(places, steward, browse_as):
    with changeset(kind="delete", actor=None):
        Airport.objects.filter(pk="KDEN").delete()
    before = Changeset.objects.count()

    answer = browse_as(steward).post(f"{ACTIONS}clear_city/", {"reason": "x"}, follow=True)

    assert "is deleted: nothing was done." in answer.content.decode()
    assert Changeset.objects.count() == before
