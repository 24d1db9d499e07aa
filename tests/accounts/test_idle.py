"""A session ends when nothing is done in it, and the login page says so; reading writes nothing for it."""

import time

import pytest
from django.contrib.sessions.models import Session

pytestmark = pytest.mark.django_db
LOGIN = "/admin/login/"


@pytest.fixture
def later(monkeypatch):
    """Return a function that lets so many minutes go by for those who look at the clock of idle sessions."""
    now = time.time()

    def go(minutes: float) -> None:
        monkeypatch.setattr("apps.accounts.idle.time.time", lambda: now + minutes * 60)

    return go


def test_who_does_nothing_for_an_hour_is_logged_out_with_a_sentence(browse_as, operator, later):
    client = browse_as(operator)
    later(61)

    page = client.get("/admin/", follow=True)

    assert page.redirect_chain == [("/admin/login/?next=/admin/", 302)]
    assert "You were logged out after 60 minutes without activity." in page.content.decode()


def test_who_clicks_now_and_then_stays(browse_as, operator, later):
    client = browse_as(operator)

    for minutes in (50, 100, 150):
        later(minutes)
        assert client.get("/admin/").status_code == 200


def test_no_click_writes_the_session(browse_as, operator, later):
    client = browse_as(operator)
    before = Session.objects.get().session_data, Session.objects.get().expire_date

    later(50)
    client.get("/admin/")

    assert (Session.objects.get().session_data, Session.objects.get().expire_date) == before


def test_a_session_key_without_its_cookie_is_worth_nothing_after_the_time(browse_as, operator, later):
    client = browse_as(operator)
    later(50)
    client.get("/admin/")
    later(70)
    del client.cookies["last-seen"]

    assert client.get("/admin/").status_code == 302


def test_the_cookie_of_another_session_does_not_count(browse_as, operator, steward, later):
    mine, theirs = browse_as(operator), browse_as(steward)
    later(50)
    theirs.get("/admin/")
    later(70)
    mine.cookies["last-seen"] = theirs.cookies["last-seen"].value

    assert mine.get("/admin/").status_code == 302


def test_the_setting_says_how_long_and_the_login_page_tells(client, browse_as, operator, later, settings):
    settings.SESSION_IDLE_MINUTES = 5

    assert "You are logged out after 5 minutes without activity." in client.get(LOGIN).content.decode()
    browser = browse_as(operator)
    later(6)
    assert browser.get("/admin/").status_code == 302


def test_without_the_setting_no_session_ends_so(client, browse_as, operator, later, settings):
    settings.SESSION_IDLE_MINUTES = 0
    browser = browse_as(operator)
    later(24 * 60)

    assert browser.get("/admin/").status_code == 200
    assert "logged out" not in client.get(LOGIN).content.decode()
