"""The page of the changeset that a bulk action made: what was done, what was left alone and why, and the ways on."""

import pytest

from apps.airports.models import Airport
from apps.changesets.context import changeset
from tests.admin.bulk import LISTS, confirm, newest, undo

pytestmark = pytest.mark.django_db
AIRPORTS = LISTS["airport"]
PAGE = "/admin/changesets/changeset/{}/change/"


def squeezed(page) -> str:
    return " ".join(page.content.decode().split())


def test_it_tells_what_was_done_what_was_not_and_leads_on(places, steward, browse_as):
    Airport.objects.filter(pk="KDEN").update(city=None)
    Airport.objects.filter(pk="EDDM").update(municipality="Atlantis", city=None)
    client = browse_as(steward)

    answer = confirm(client, AIRPORTS + "?active__exact=1", "relink", select_across="1")

    made, page = newest(), squeezed(client.get(answer.url))
    assert answer.url == PAGE.format(made.pk)
    for words in (
        "1 airport relinked: 0 to a country, 1 to a city.",
        "KDEN · Denver International Airport: to Denver, United States",
        "3 airports selected.",
        "stan",
        "tidying",
        "<b>~</b>1 changed",
        "<strong>1</strong> is already linked correctly",
        "<strong>1</strong> names a municipality that no city is called",
        "EDDM · Munich Airport: Atlantis, DE",
        f'href="{PAGE.format(made.pk)}"',
        f'formaction="/admin/changesets/changeset/{made.pk}/revert/" class="link-button">Undo…</button>',
        f'href="{AIRPORTS}?active__exact=1">Back to the airports</a>',
    ):
        assert words in page


def test_it_stays_when_the_action_is_undone(places, steward, browse_as):
    client = browse_as(steward)
    confirm(client, AIRPORTS, "set_inactive", ["KDEN"])
    made = newest()
    undo(client, made)
    client.get("/admin/")  # Shows the message of the action.

    page = squeezed(client.get(PAGE.format(made.pk)))

    assert "1 airport set inactive." in page
    assert "Reverted by" in page
    assert "Undo…</button>" not in page
    assert "Revert…</button>" not in page


@pytest.mark.parametrize("query", ["", "?_changelist_filters=q%3Dden"])
def test_the_address_that_results_once_had_leads_to_it(query, places, viewer, browse_as):
    answer = browse_as(viewer).get(f"/admin/changesets/changeset/{places['import'].pk}/result/{query}")

    assert (answer.status_code, answer.url) == (302, PAGE.format(places["import"].pk))


def test_an_action_on_a_model_that_is_gone_is_told(places, steward, browse_as):
    with changeset(kind="bulk_action", actor=None) as made:
        Airport.objects.filter(pk="KDEN").update(name="Denver")
        made.summary = {"bulk": {"model": "old.gone", "selected": 1, "done": "1 thing set.", "left": [], "listed": []}}

    assert "1 thing set." in squeezed(browse_as(steward).get(PAGE.format(made.pk)))


def test_an_action_that_changes_nothing_says_so_and_why(places, steward, browse_as):
    answer = browse_as(steward).post(
        AIRPORTS, {"action": "relink", "confirm": "yes", "reason": "x", "_selected_action": ["KDEN"]}, follow=True
    )

    assert answer.request["PATH_INFO"] == AIRPORTS
    assert "There was nothing to change: 1 is already linked correctly." in answer.content.decode()


def test_the_airports_of_a_country_lead_back_to_it(places, steward, browse_as):
    client = browse_as(steward)
    page = f"/admin/base/country/{places['usa'].pk}/"

    answer = client.post(f"{page}actions/clear_country/", {"reason": "wrong"}, follow=True)

    assert "The country of 2 airports cleared." in answer.content.decode()
    assert f'href="{page}change/">Back to United States (US)</a>' in answer.content.decode()


def test_one_object_is_told_of_by_its_name(places, steward, browse_as, edit):
    edit("KDEN", city=None)

    answer = browse_as(steward).post("/admin/airports/airport/KDEN/actions/relink/", {"reason": "lost"}, follow=True)

    assert "KDEN · Denver International Airport relinked" in answer.content.decode()
    assert "Back to KDEN · Denver International Airport</a>" in answer.content.decode()
