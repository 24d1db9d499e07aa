"""The feed of what a person follows: what it tells, each thing once, as far as its owner may see it now."""

import xml.etree.ElementTree as ET
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.base.models import City
from apps.changesets.acts.following import follow, new_token
from apps.changesets.context import changeset
from apps.changesets.follow_models import Follow
from apps.changesets.models import Changeset, SavedView
from apps.changesets.revert import plan_revert, revert

# Only what is committed is news.
pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/changesets/changeset/"
SITE = "http://testserver"
ATOM = "{http://www.w3.org/2005/Atom}"


def entries(client, token) -> list[str]:
    """Return the titles of a feed's entries."""
    response = client.get(f"/feed/{token}/")
    assert response.status_code == 200
    return [entry.findtext(f"{ATOM}title") for entry in ET.fromstring(response.content).iter(f"{ATOM}entry")]


@pytest.fixture
def told(viewer, client):
    """Return a function that gives the titles that Vera's feed has."""
    token = new_token(viewer)
    return lambda: entries(client, token)


@pytest.fixture
def usa(viewer, places) -> str:
    about = f"base.country/pk:{places['usa'].pk}"
    follow(viewer, about, site=SITE)
    return about


def test_a_country_tells_of_itself_its_cities_and_its_airports(usa, places, told, edit):
    here = [edit("KDEN", name="x")]
    with changeset(kind="edit", actor=None) as city:
        City.objects.filter(pk=places["denver"].pk).update(name="Denver City")
    with changeset(kind="edit", actor=None) as country:
        type(places["usa"]).objects.filter(pk=places["usa"].pk).update(name="USA")
    edit("EDDM", name="elsewhere")

    assert [title.split()[0] for title in told()] == [f"#{made.pk}" for made in (country, city, *here)]


def test_what_leaves_a_country_is_told_too(usa, places, told, edit):
    moved = edit("KBKF", country=places["germany"])

    assert [title.split()[0] for title in told()] == [f"#{moved.pk}"]


def test_an_airport_is_followed_when_it_is_renamed(places, viewer, told, edit, rename):
    follow(viewer, "airports.airport/id:3486", site=SITE)
    rename("KDEN", "KDXX")
    edit("KDXX", name="x")

    assert len(told()) == 2


def test_a_saved_view_tells_of_what_is_in_it(places, viewer, told, edit):
    view = SavedView.objects.create(owner=viewer, model="airports.airport", name="Munich", query="q=munich")
    follow(viewer, f"view:{view.pk}", site=SITE)
    edit("KDEN", name="x")
    made = edit("EDDM", elevation_ft=1)

    assert [title.split()[0] for title in told()] == [f"#{made.pk}"]


@pytest.mark.parametrize("query", ["e=1", "nonsense=1", "country__id__exact=x"])
def test_a_view_that_cannot_be_read_tells_nothing(places, viewer, told, edit, query):
    view = SavedView.objects.create(owner=viewer, model="airports.airport", name="Odd", query=query)
    follow(viewer, f"view:{view.pk}", site=SITE)
    with changeset(kind="edit", actor=None):
        City.objects.filter(pk=places["denver"].pk).update(name="Denver City")

    assert told() == []


def test_a_changeset_tells_of_its_revert(places, viewer, told, edit):
    made = edit("KDEN", name="x")
    follow(viewer, f"changeset:{made.pk}", site=SITE)
    undone = revert(plan_revert([made]), actor=None, reason="wrong")

    assert [title.split()[0] for title in told()] == [f"#{undone.pk}"]


def test_what_two_follows_concern_is_told_once(usa, viewer, told, edit):
    follow(viewer, "airports.airport/id:3486", site=SITE)
    edit("KDEN", name="x")

    assert len(told()) == 1


def test_the_feed_shows_what_its_owner_may_view_now(usa, viewer, told, edit):
    edit("KDEN", name="Denver Intl")
    assert len(told()) == 1

    viewer.groups.clear()

    assert told() == []


def test_names_of_models_that_are_not_seen_are_in_no_feed(places, outsider, only, client, edit):
    only("view_changeset", "view_country")
    follow(outsider, f"base.country/pk:{places['usa'].pk}", site=SITE)
    edit("KDEN", name="Denver Intl")

    assert entries(client, new_token(outsider)) == []


def test_a_feed_writes_nothing_and_takes_few_queries(usa, viewer, client, edit, django_assert_max_num_queries):
    for number in range(5):
        edit("KDEN", name=f"Denver {number}")
    token, before = new_token(viewer), Changeset.objects.count()

    with django_assert_max_num_queries(30) as asked:
        assert len(entries(client, token)) == 5

    assert not [query["sql"] for query in asked if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    assert Changeset.objects.count() == before


def test_what_a_feed_tells_is_text_that_xml_can_have(usa, told, edit):
    edit("KDEN", name="a\x0bb\uffff <b>", reason="why\x08 & <i>")

    assert len(told()) == 1


def test_a_feed_has_what_is_young(usa, told, edit):
    edit("KDEN", name="x")
    past = timezone.now() - timedelta(days=40)
    Follow.objects.update(created_at=past)
    Changeset.objects.update(finished_at=past + timedelta(days=1))

    assert told() == []
