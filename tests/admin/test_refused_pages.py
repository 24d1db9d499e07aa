"""What somebody sees who may not open a page, or opens one that there is not: words and a way on."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("method", ["get", "post"])
def test_who_may_not_do_something_is_told_and_led_on(method, places, viewer, browse_as):
    answer = getattr(browse_as(viewer), method)("/admin/airports/airport/KDEN/actions/backup/")

    assert answer.status_code == 403
    page = answer.content.decode()
    assert f"{viewer.username} lacks a permission for this, and nothing was changed." in page
    assert 'href="/admin/"' in page


def test_who_may_not_do_something_is_told_whom_to_ask(places, viewer, browse_as):
    address = "/admin/airports/airport/KDEN/actions/backup/"
    assert "Ask the administrator of the console for the permission." in browse_as(viewer).get(address).content.decode()

    User.objects.create_superuser("ada")

    assert "Ask ada for the permission." in browse_as(viewer).get(address).content.decode()


@pytest.mark.parametrize("address", ["actions/backup/", "actions/nothing/"])
def test_a_page_of_a_refusal_is_headed_as_the_console_is(places, viewer, browse_as, address):
    for client in (browse_as(viewer), Client()):
        page = client.get(f"/admin/airports/airport/KDEN/{address}", follow=True).content.decode()
        assert "TravelMathLite console" in page
        assert "Django" not in page

    assert "admin/search/" in browse_as(viewer).get(f"/admin/airports/airport/KDEN/{address}").content.decode()


def test_a_form_that_is_not_ours_is_answered_under_our_head(places, viewer):
    client = Client(enforce_csrf_checks=True)
    client.force_login(viewer)

    page = client.post("/admin/search/").content.decode()

    assert "The form could not be verified" in page
    assert "TravelMathLite console" in page
    assert "Django" not in page


def test_what_is_not_there_is_told(places, viewer, browse_as):
    answer = browse_as(viewer).get("/admin/changesets/changeset/999/changes.csv")

    assert answer.status_code == 404
    page = answer.content.decode()
    assert "This page does not exist" in page
    assert 'href="/admin/changesets/changeset/recycle-bin/"' in page


def test_who_may_see_nothing_is_led_to_nothing_that_is_not_theirs(outsider, browse_as):
    page = browse_as(outsider).get("/admin/airports/airport/KDEN/actions/nothing/").content.decode()

    assert "This page does not exist" in page
    assert "recycle-bin" not in page
