"""A person is locked out, unlocked by a superuser, sets up a second factor and shows it, in a real browser."""

import os
import time
from base64 import b32decode
from pathlib import Path

import pytest
from django_otp.oath import totp
from playwright.sync_api import Page, expect

from tests.conftest import PASSWORD

pytestmark = pytest.mark.browser
# Where pictures for a person to look at go, if anywhere.
PICTURES = os.environ.get("PICTURES", "")


def take(page: Page, name: str) -> None:
    """Take the page in both schemes and widths, where pictures are wanted."""
    for scheme in ("light", "dark") if PICTURES else ():
        page.emulate_media(color_scheme=scheme)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=Path(PICTURES, f"{name}-{scheme}-{width}.png"), full_page=True)
    page.set_viewport_size({"width": 1280, "height": 900})


def enter(page: Page, username: str, password: str) -> None:
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def narrow_enough(page: Page) -> bool:
    page.set_viewport_size({"width": 390, "height": 900})
    beyond = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    page.set_viewport_size({"width": 1280, "height": 900})
    return beyond <= 0


def test_five_wrong_passwords_the_sentence_a_superuser_unlocks_and_the_login_works(
    live_server, browser, page, operator, admin_user
):
    admin_user.set_password(PASSWORD)
    admin_user.save()
    page.goto(f"{live_server.url}/admin/")
    for _ in range(5):
        enter(page, "olga", "wrong")
    expect(page.get_by_text("Too many wrong passwords for this name: log in after")).to_be_visible()
    take(page, "login-locked")
    assert narrow_enough(page)

    superuser = browser.new_page(viewport={"width": 1280, "height": 900})
    superuser.goto(f"{live_server.url}/admin/axes/accessattempt/")
    enter(superuser, "admin", PASSWORD)
    expect(superuser.get_by_text("locked until")).to_be_visible()
    take(superuser, "lockouts")
    superuser.get_by_role("checkbox").last.check()
    superuser.locator("select[name=action]").select_option("unlock")
    superuser.locator("button[name=index]").click()
    expect(superuser.get_by_text("Unlocked olga at 127.0.0.1.")).to_be_visible()
    superuser.goto(f"{live_server.url}/admin/axes/accessfailurelog/")
    take(superuser, "failed-logins")
    superuser.close()

    enter(page, "olga", PASSWORD)
    expect(page.locator("h1")).to_have_text("Operations")


def test_a_second_factor_is_set_up_and_shown_at_the_next_login(live_server, page, operator):
    page.goto(f"{live_server.url}/admin/second-factor/")
    take(page, "login")
    enter(page, "olga", PASSWORD)
    key = b32decode(page.locator(".qr code").inner_text().replace(" ", ""))
    assert page.evaluate("() => document.querySelector('.qr img').naturalWidth") > 100
    take(page, "second-factor-setup")
    assert narrow_enough(page)
    page.get_by_label("Code").fill(f"{totp(key):06d}")
    page.get_by_role("button", name="Set up the second factor").click()
    recovery = page.locator(".recovery-codes code").first.inner_text()
    take(page, "second-factor-codes")
    page.get_by_role("link", name="I have saved them").click()
    page.get_by_role("link", name="Second factor").click()
    expect(page.get_by_text("10 recovery codes are left")).to_be_visible()
    take(page, "second-factor")

    page.get_by_role("button", name="Log out").click()
    page.goto(f"{live_server.url}/admin/airports/airport/")
    enter(page, "olga", PASSWORD)
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_contain_text("That code is wrong")
    take(page, "second-factor-check")
    assert narrow_enough(page)
    # A wrong code makes the next wait a second.
    time.sleep(1.1)
    page.get_by_label("Code").fill(recovery)
    page.get_by_role("button", name="Go on").click()

    expect(page).to_have_url(f"{live_server.url}/admin/airports/airport/")
