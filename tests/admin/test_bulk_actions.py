"""Clearing links and setting active in bulk: what is changed, recorded, refused and undone."""

import pytest

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.models import Changeset
from tests.admin.bulk import LISTS, act, all_rows, confirm, newest, undo

pytestmark = pytest.mark.django_db
AIRPORTS, COUNTRIES, CITIES = LISTS["airport"], LISTS["country"], LISTS["city"]


@pytest.fixture
def client(places, steward, browse_as):
    return browse_as(steward)


def values(field: str) -> dict:
    return dict(Airport.objects.values_list("pk", field))


# action -> the field, its value afterwards
SETTING = {
    "clear_country": ("country", None),
    "clear_city": ("city", None),
    "set_inactive": ("active", False),
}


@pytest.mark.parametrize("action", SETTING)
def test_ticked_airports_are_changed_as_one_changeset_and_come_back(action, client, steward):
    field, value = SETTING[action]
    before = all_rows(Airport)

    response = confirm(client, AIRPORTS, action, ["KDEN", "EDDM"])

    made = newest()
    assert response.status_code == 302
    assert {key for key, now in values(field).items() if now == value} == {"KDEN", "EDDM"}
    assert (made.kind, made.actor, made.reason) == ("bulk_action", steward, "tidying")
    assert made.counts == {"airports.airport": {"changed": 2}}
    assert made.field_counts == {"airports.airport": {field: 2}}
    undo(client, made)
    assert all_rows(Airport) == before


def test_set_active_changes_those_that_are_not(client):
    Airport.objects.filter(pk="KDEN").update(active=False)

    confirm(client, AIRPORTS, "set_active", ["KDEN", "EDDM"])

    assert set(values("active").values()) == {True}
    assert newest().counts == {"airports.airport": {"changed": 1}}


@pytest.mark.parametrize("name", ["country", "city"])
def test_places_are_set_inactive_and_active(name, client, places):
    place = places["usa" if name == "country" else "denver"]

    confirm(client, LISTS[name], "set_inactive", [place.pk])
    place.refresh_from_db()
    inactive = place.active
    confirm(client, LISTS[name], "set_active", [place.pk])
    place.refresh_from_db()

    assert (inactive, place.active) == (False, True)
    assert newest().counts == {f"base.{name}": {"changed": 1}}


@pytest.mark.parametrize(("action", "field"), [("clear_country", "country"), ("clear_city", "city")])
def test_places_lose_their_airports_and_get_them_back(action, field, client, places):
    before = all_rows(Airport)
    address, place = (COUNTRIES, places["usa"]) if field == "country" else (CITIES, places["denver"])
    shown = act(client, address, action, [place.pk]).content.decode()

    confirm(client, address, action, [place.pk])

    assert "<strong>2</strong> airports will have no" in shown
    assert {key for key, now in values(field).items() if now is None} == {"KDEN", "KBKF"}
    assert newest().counts == {"airports.airport": {"changed": 2}}
    undo(client, newest())
    assert all_rows(Airport) == before


def test_the_page_before_says_what_will_change_and_writes_nothing(client, django_assert_max_num_queries):
    Airport.objects.filter(pk="EDDM").update(country=None)
    before = all_rows(Airport)

    with django_assert_max_num_queries(30):
        page = act(client, AIRPORTS, "clear_country", ["KDEN", "EDDM"]).content.decode()

    assert "Clear country on 1 airport" in page
    assert "2 airports are selected" in page
    assert "<strong>1</strong> without country already" in page
    assert "KDEN · Denver International Airport" in page
    assert all_rows(Airport) == before


@pytest.mark.parametrize("posted", [{"reason": ""}, {"reason": "  "}, {"confirm": ""}, {"confirm": "no"}])
def test_nothing_is_written_without_both_the_confirmation_and_a_reason(posted, client):
    before = all_rows(Airport), Changeset.objects.count()

    response = confirm(client, AIRPORTS, "clear_country", ["KDEN"], **posted)

    assert response.status_code == 200
    assert ("Say why" in response.content.decode()) == ("reason" in posted)
    assert (all_rows(Airport), Changeset.objects.count()) == before


def test_a_link_never_acts(client):
    before = all_rows(Airport)

    client.get(
        AIRPORTS, {"action": "clear_country", "confirm": "yes", "reason": "x", "_selected_action": "KDEN"}, follow=True
    )

    assert all_rows(Airport) == before


def test_a_filter_and_all_its_rows(client):
    Airport.objects.filter(pk="KDEN").update(airport_type="heliport")

    confirm(client, AIRPORTS + "?airport_type=heliport", "set_inactive", select_across="1")

    assert values("active") == {"KDEN": False, "EDDM": True, "KBKF": True}


def test_a_search_and_all_its_rows(client):
    shown = act(client, AIRPORTS + "?q=munich", "set_inactive", ["EDDM"], select_across="1").content.decode()

    confirm(client, AIRPORTS + "?q=munich", "set_inactive", ["all"], select_across="1")

    assert "1 airport is selected" in shown
    assert values("active") == {"KDEN": True, "EDDM": False, "KBKF": True}


@pytest.mark.parametrize("index", [{}, {"index": "0"}])
@pytest.mark.parametrize("keys", [[], ["XXXX"]])
def test_nothing_selected_is_said_and_changes_nothing(index, keys, client):
    before = Changeset.objects.count()

    response = client.post(
        AIRPORTS,
        {"action": "clear_country", "confirm": "yes", "reason": "x", "_selected_action": keys, **index},
        follow=True,
    )

    said = response.content.decode()
    assert "Nothing was selected" in said or "No airport is selected" in said
    assert Changeset.objects.count() == before


def test_a_filter_that_fits_nothing_is_said(client):
    response = client.post(
        AIRPORTS + "?q=nowhere",
        {"action": "clear_country", "confirm": "yes", "reason": "x", "select_across": "1"},
        follow=True,
    )

    assert "No airport is selected" in response.content.decode()


def test_a_key_that_is_none_never_breaks_the_page(client):
    response = confirm(client, CITIES, "set_inactive", ["x"])

    assert response.status_code == 302
    assert Changeset.objects.count() == 1


def seen_on(page) -> str:
    return page.context["token"]


@pytest.mark.parametrize("others", ["edit", "deletion", "arrival"])
def test_a_selection_that_changed_meanwhile_is_refused_and_shown_anew(others, client, places, edit):
    address = AIRPORTS + "?active__exact=1"
    seen = seen_on(act(client, address, "clear_country", select_across="1"))
    if others == "edit":
        edit("KDEN", name="Denver Intl")
    elif others == "deletion":
        Airport.objects.get(pk="KDEN").delete()
    else:
        Airport.objects.create(ident="LFPG", name="Paris", airport_type="large_airport", country=places["germany"])
    before = all_rows(Airport)

    response = confirm(client, address, "clear_country", select_across="1", seen=seen)

    assert response.status_code == 200
    assert "The selection is no longer what you were shown" in response.content.decode()
    assert all_rows(Airport) == before
    assert not Changeset.objects.filter(kind="bulk_action").exists()
    again = confirm(client, address, "clear_country", select_across="1", seen=seen_on(response))
    assert again.status_code == 302
    assert not Airport.objects.filter(country__isnull=False).exists()


@pytest.mark.parametrize("seen", ["x", "1", "9.9", "99999999999999999999.1.1.1", "..", "1.2.3.4.5"])
def test_a_made_up_version_changes_nothing_and_breaks_nothing(seen, client):
    before = all_rows(Airport)

    response = confirm(client, AIRPORTS, "clear_country", ["KDEN"], seen=seen)

    assert response.status_code == 200
    assert all_rows(Airport) == before


def test_an_airport_deleted_in_another_tab_is_named(client):
    seen = seen_on(act(client, AIRPORTS, "clear_country", ["KDEN", "EDDM"]))
    Airport.objects.get(pk="KDEN").delete()

    for posted in ({"seen": seen}, {}):
        response = confirm(client, AIRPORTS, "clear_country", ["KDEN", "EDDM"], **posted)
        assert "of 2 airports 1 is gone" in response.content.decode()

    assert Airport.objects.get(pk="EDDM").country is not None


def test_what_needs_no_change_leaves_no_changeset(client):
    before = Changeset.objects.count()

    response = client.post(
        AIRPORTS,
        {"action": "set_active", "confirm": "yes", "reason": "x", "_selected_action": ["KDEN"]},
        follow=True,
    )

    assert "There was nothing to change" in response.content.decode()
    assert Changeset.objects.count() == before


def test_the_message_leads_to_review_and_undo(client):
    response = client.post(
        AIRPORTS,
        {"action": "clear_country", "confirm": "yes", "reason": "x", "_selected_action": ["KDEN"]},
        follow=True,
    )

    said = response.content.decode()
    assert f"Review #{newest().pk}</a>" in said
    assert "Undo…" in said


def test_country_and_city_rows_stay_as_they_are(client):
    before = all_rows(Country), all_rows(City)

    confirm(client, AIRPORTS, "clear_country", select_across="1")

    assert (all_rows(Country), all_rows(City)) == before
