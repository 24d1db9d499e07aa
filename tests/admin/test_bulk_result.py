"""The page after a bulk action: what was done, what was left alone and why, and the ways on."""

import pytest

from apps.airports.models import Airport
from tests.admin.bulk import LISTS, confirm, newest, undo

pytestmark = pytest.mark.django_db
AIRPORTS = LISTS["airport"]


def squeezed(page) -> str:
    return " ".join(page.content.decode().split())


def test_it_tells_what_was_done_what_was_not_and_leads_on(places, steward, browse_as):
    Airport.objects.filter(pk="KDEN").update(city=None)
    Airport.objects.filter(pk="EDDM").update(municipality="Atlantis", city=None)
    client = browse_as(steward)

    answer = confirm(client, AIRPORTS + "?active__exact=1", "relink", select_across="1")

    made, page = newest(), squeezed(client.get(answer.url))
    assert answer.url.startswith(f"/admin/changesets/changeset/{made.pk}/result/?")
    for words in (
        "1 airport relinked: 0 to a country, 1 to a city.",
        "KDEN · Denver International Airport: to Denver, United States",
        "3 airports selected by stan",
        "tidying",
        "<b>~</b>1 changed",
        "<strong>1</strong> is linked rightly already",
        "<strong>1</strong> names a municipality that no city is called",
        "EDDM · Munich Airport: Atlantis, DE",
        f'href="/admin/changesets/changeset/{made.pk}/change/"',
        f'href="/admin/changesets/changeset/{made.pk}/revert/">Undo…</a>',
        f'href="{AIRPORTS}?active__exact=1">Back to the airports</a>',
    ):
        assert words in page


def test_it_stays_and_is_linked_from_the_changeset(places, steward, browse_as):
    client = browse_as(steward)
    confirm(client, AIRPORTS, "set_inactive", ["KDEN"])
    made = newest()
    undo(client, made)

    page = squeezed(client.get(f"/admin/changesets/changeset/{made.pk}/result/"))

    assert "1 airport set inactive." in page
    assert "Reverted by" in page
    assert "Undo…</a>" not in page
    assert f"/{made.pk}/result/" in client.get(f"/admin/changesets/changeset/{made.pk}/change/").content.decode()


def test_there_is_none_of_what_was_no_bulk_action(places, viewer, browse_as):
    client, address = browse_as(viewer), "/admin/changesets/changeset/{}/result/"

    for pk in (places["import"].pk, 999, "9" * 30):
        assert client.get(address.format(pk)).status_code == 404
    assert "/result/" not in client.get(f"/admin/changesets/changeset/{places['import'].pk}/change/").content.decode()


def test_an_action_that_changes_nothing_says_so_and_why(places, steward, browse_as):
    answer = browse_as(steward).post(
        AIRPORTS, {"action": "relink", "confirm": "yes", "reason": "x", "_selected_action": ["KDEN"]}, follow=True
    )

    assert "Nothing was to be changed, and nothing was: 1 is linked rightly already." in answer.content.decode()


def test_the_airports_of_a_country_lead_back_to_its_list(places, steward, browse_as):
    client = browse_as(steward)
    page = f"/admin/base/country/{places['usa'].pk}/actions/clear_country/"

    answer = client.post(page, {"reason": "wrong"}, follow=True)

    assert "The country of 2 airports cleared." in answer.content.decode()
    assert 'href="/admin/base/country/">Back to the countries</a>' in answer.content.decode()


def test_one_object_is_told_of_by_its_name(places, steward, browse_as, edit):
    edit("KDEN", city=None)

    answer = browse_as(steward).post("/admin/airports/airport/KDEN/actions/relink/", {"reason": "lost"}, follow=True)

    assert "KDEN · Denver International Airport relinked" in answer.content.decode()
