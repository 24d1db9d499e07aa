"""Bulk actions in a real browser: a country that cannot be deleted is cleared, deleted, and all of it undone."""

import re

import pytest
from playwright.sync_api import Page, expect

from apps.airports.models import Airport
from apps.base.models import City, Country

from .test_browser_revert import fits

pytestmark = pytest.mark.browser


def act(page: Page, name: str) -> None:
    """Choose an action for all rows of the list, as they are filtered."""
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option(name)
    page.get_by_role("button", name="Run").or_(page.get_by_role("button", name="Go")).first.click()


def undo(page: Page) -> None:
    page.get_by_role("link", name="Undo…").first.click()
    page.get_by_label("Why").fill("it was right")
    page.get_by_role("button", name=re.compile(r"^Revert \d+ objects?$")).click()
    expect(page.get_by_text("reverted").first).to_be_visible()


def test_a_country_is_cleared_deleted_and_both_are_undone(live_server, page, log_in, places, steward, screenshots):
    admin, germany = f"{live_server.url}/admin", places["germany"].pk
    log_in(steward)
    page.goto(f"{admin}/airports/airport/?country__id__exact={germany}")
    act(page, "clear_country")
    assert fits(page)
    screenshots("bulk-confirm")
    page.get_by_label("Why").fill("it goes")
    page.get_by_role("button", name="Clear country on 1 airport").click()
    expect(page.get_by_role("link", name="Undo…")).to_be_visible()
    cleared = page.get_by_role("link", name=re.compile("^Review #")).get_attribute("href")
    assert Airport.objects.get(pk="EDDM").country is None

    page.goto(f"{admin}/base/country/?q=Germany")
    act(page, "delete_selected")
    assert fits(page)
    screenshots("bulk-delete")
    page.get_by_label("Why").fill("not ours")
    page.get_by_role("button", name=re.compile("^Delete")).click()
    expect(page.get_by_role("link", name="Undo…")).to_be_visible()
    assert not Country.objects.filter(pk=germany).exists()

    undo(page)
    assert City.objects.filter(country_id=germany).exists()
    page.goto(f"{live_server.url}{cleared}")
    page.get_by_role("link", name="Revert…").first.click()
    page.get_by_label("Why").fill("it was right")
    page.get_by_role("button", name=re.compile(r"^Revert \d+ objects?$")).click()
    expect(page.get_by_text("reverted").first).to_be_visible()
    assert Airport.objects.get(pk="EDDM").country_id == germany
