"""Following a changeset, a saved view or a country: the buttons, the list, and the token of the feed."""

import pytest
from django.contrib.auth.models import Permission

from apps.airports.models import Airport
from apps.backups.catalogue.left_out import is_left_out
from apps.changesets.acts.following import MOST, follow, new_token
from apps.changesets.models import FeedToken, Follow, SavedView

pytestmark = pytest.mark.django_db
LIST = "/admin/changesets/changeset/"
SITE = "http://testserver"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def usa(viewer, places) -> str:
    about = f"base.country/pk:{places['usa'].pk}"
    follow(viewer, about, site=SITE)
    return about


def post(client, about, **more):
    return client.post(f"{LIST}follow/", {"about": about, **more}, follow=True).content.decode()


@pytest.mark.parametrize("what", ["changeset", "object", "view"])
def test_each_can_be_followed_and_unfollowed_where_it_is_seen(places, viewer, browse_as, what):
    client, view = browse_as(viewer), SavedView.objects.create(owner=viewer, model="base.city", name="Big", query="q=d")
    usa = places["usa"]
    about, page = {
        "changeset": (f"changeset:{places['import'].pk}", f"{LIST}{places['import'].pk}/change/"),
        "object": (f"base.country/pk:{usa.pk}", f"/admin/base/country/{usa.pk}/history/"),
        "view": (f"view:{view.pk}", "/admin/base/city/?_view=all"),
    }[what]
    field = f'name="about" value="{about}"'
    before = client.get(page).content.decode()
    assert field in before
    assert ">Unfollow<" not in before

    told = post(client, about)

    assert "You follow " in told
    assert Follow.objects.get().about == about
    assert ">Unfollow<" in client.get(page).content.decode()
    assert "You do not follow that any more." in post(client, about, unfollow="1")
    assert not Follow.objects.exists()


@pytest.mark.parametrize(
    "about", ["", "changeset:4711", "changeset:x", "view:1", "base.country/pk:9", "auth.user/pk:1"]
)
def test_what_is_not_there_is_not_followed(places, viewer, browse_as, about):
    assert "That is not there any more" in post(browse_as(viewer), about)
    assert not Follow.objects.exists()


def test_what_a_person_may_not_see_is_not_followed(places, only, outsider, viewer):
    client = only("view_changeset")
    private = SavedView.objects.create(owner=viewer, model="base.city", name="Big", query="")

    for about in (f"base.country/pk:{places['usa'].pk}", f"view:{private.pk}"):
        assert "is not for you to see" in post(client, about)
    assert not Follow.objects.exists()


def test_nobody_follows_without_end(places, viewer, browse_as):
    Follow.objects.bulk_create(Follow(user=viewer, about=f"x{number}") for number in range(MOST))

    assert f"You follow {MOST} things already" in post(browse_as(viewer), f"changeset:{places['import'].pk}")


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}])
def test_the_feed_of_who_may_not_log_in_is_not_there(usa, viewer, client, change):
    token = new_token(viewer)
    type(viewer).objects.filter(pk=viewer.pk).update(**change)

    assert client.get(f"/feed/{token}/").status_code == 404


def test_no_token_opens_no_feed(client, db):
    assert client.get("/feed/nothing/").status_code == 404
    assert client.post("/feed/nothing/").status_code == 405


def test_a_token_is_shown_once_kept_as_a_hash_replaced_and_revoked(usa, viewer, browse_as, client):
    browser, address = browse_as(viewer), f"{LIST}feed-token/"
    first = browser.post(address).context["feed_address"]
    second = browser.post(address).context["feed_address"]
    kept = FeedToken.objects.get().hashed

    assert first not in browser.get(f"{LIST}following/").content.decode()
    assert kept not in second
    assert [client.get(url).status_code for url in (first, second)] == [404, 200]
    browser.post(address, {"revoke": "1"})
    assert client.get(second).status_code == 404


def test_no_backup_has_the_tokens_of_feeds():
    assert is_left_out(FeedToken._meta.db_table)
    assert not is_left_out(Follow._meta.db_table)


def test_names_are_not_told_to_who_may_not_see_them_any_more(usa, viewer, browse_as):
    viewer.groups.clear()
    viewer.user_permissions.set(Permission.objects.filter(codename="view_changeset"))

    page = browse_as(viewer).get(f"{LIST}following/").content.decode()

    assert "something that you may not see any more" in page
    assert "United States" not in page


def test_a_deleted_view_is_followed_no_more(places, viewer):
    view = SavedView.objects.create(owner=viewer, model="base.city", name="Big", query="")
    follow(viewer, f"view:{view.pk}", site=SITE)

    view.delete()

    assert not Follow.objects.exists()


def test_an_object_that_is_gone_stands_in_the_list_under_its_name(places, viewer, browse_as):
    follow(viewer, "airports.airport/id:3410", site=SITE)
    Airport.objects.filter(pk="KBKF").delete()

    assert "KBKF · Buckley Space Force Base" in browse_as(viewer).get(f"{LIST}following/").content.decode()
