"""Entering the console, in a real browser."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_root_leads_through_the_login_to_the_console(live_server, page, operator):
    page.goto(live_server.url)
    page.fill("#id_username", operator.username)
    page.fill("#id_password", "a password for tests only")

    page.click("[type=submit]")

    expect(page.locator("h1")).to_have_text("Operations")
    expect(page.locator("#site-name")).to_have_text("TravelMathLite console")
    # Until then the server works on, and holds the tables.
    expect(page.locator("[data-waiting], form[data-keep]")).to_have_count(0)


def test_a_person_is_logged_in_by_the_fixture(live_server, page, log_in, outsider):
    log_in(outsider)

    page.goto(f"{live_server.url}/admin/")

    expect(page.get_by_text("permission to view or edit anything")).to_be_visible()
