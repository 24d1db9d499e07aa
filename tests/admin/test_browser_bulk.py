"""Bulk actions in a real browser: select by filter, clear the country, delete it, undo both, relink."""

import re

import pytest
from playwright.sync_api import Page, expect

from apps.airports.models import Airport
from apps.base.models import City, Country

pytestmark = pytest.mark.browser
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def confirm(page, reason: str, button: str) -> None:
    page.get_by_label("Why").fill(reason)
    page.get_by_role("button", name=re.compile(button)).click()


def test_clear_the_country_delete_it_undo_both_and_relink(live_server, page, log_in, places, steward):
    admin, usa = f"{live_server.url}/admin", places["usa"]
    log_in(steward)

    # The deletion is refused in words, and leads to what clears the way.
    page.goto(f"{admin}/base/country/{usa.pk}/delete/")
    expect(page.get_by_text("2 airports point to United States (US): clear their country first.")).to_be_visible()
    assert page.evaluate(TOO_WIDE) <= 0
    page.get_by_role("button", name="Clear the country of their airports…").click()
    expect(page.locator("#content h1")).to_have_text("Clear country on 2 airports")
    confirm(page, "the country goes", "^Clear country on 2 airports")
    expect(page.get_by_text("The country of 2 airports cleared.")).to_be_visible()

    # Now it goes, with its city.
    page.goto(f"{admin}/base/country/{usa.pk}/delete/")
    confirm(page, "gone", "^Delete United States")
    expect(page.get_by_text("United States (US) deleted.")).to_be_visible()
    assert not Country.objects.filter(pk=usa.pk).exists()

    # Undo the deletion; relink what was cleared, found by the filter.
    page.get_by_role("button", name="Undo…").first.click()
    page.get_by_label("Why").fill("it is there after all")
    page.get_by_role("button", name=re.compile("^(Revert|Undo)")).click()
    expect(page.get_by_role("heading", name="What this revert did")).to_be_visible()
    Airport.objects.create(ident="XX01", name="Nowhere Strip", airport_type="closed", iso_country="XX")
    page.goto(f"{admin}/airports/airport/?links=no-country")
    page.get_by_text("More", exact=True).click()
    expect(page.get_by_role("button", name="Undo the newest import…")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Undo the newest import…")).not_to_be_visible()
    assert page.evaluate(TOO_WIDE) <= 0
    act(page, "relink")
    confirm(page, "linked again", "^Relink 2 airports")
    expect(page.get_by_text(re.compile("2 airports relinked"))).to_be_visible()
    assert page.evaluate(TOO_WIDE) <= 0
    page.get_by_role("link", name="Back to the airports").click()
    expect(page).to_have_url(re.compile("links=no-country"))
    assert Airport.objects.filter(country=usa, city=places["denver"]).count() == 2


def test_duplicates_stand_side_by_side(live_server, page, log_in, places, steward):
    Airport.objects.create(ident="A1", name="Old Denver", airport_type="small_airport", iata_code="DEN")
    log_in(steward)

    page.goto(f"{live_server.url}/admin/airports/airport/")
    act(page, "resolve_duplicates")

    expect(page.get_by_role("radio", name="A1 · Old Denver · Small airport")).to_be_visible()
    assert page.evaluate(TOO_WIDE) <= 0
    page.get_by_role("radio", name="A1 · Old Denver").check()
    confirm(page, "moved", "^Resolve 1 shared IATA code")
    expect(page.get_by_text("This is the plan of what you chose now")).to_be_visible()
    confirm(page, "moved", "^Resolve 1 shared IATA code")
    expect(page.get_by_text(re.compile("1 airport without IATA code"))).to_be_visible()
    assert Airport.objects.get(pk="A1").iata_code == "DEN"


def act(page: Page, name: str) -> None:
    """Choose an action for all rows of the list, as they are filtered."""
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option(name)
    page.get_by_role("button", name=re.compile("^(Go|Run)")).click()
    # The confirm page is there: what is evaluated next must not meet the page that is left.
    expect(page.get_by_label("Why")).to_be_visible()


def undo(page: Page) -> None:
    page.get_by_role("button", name="Undo…").first.click()
    page.get_by_label("Why").fill("it was right")
    page.get_by_role("button", name=re.compile(r"^Revert \d+ ")).click()
    expect(page.get_by_role("heading", name="What this revert did")).to_be_visible()


def test_a_country_is_cleared_deleted_and_both_are_undone(live_server, page, log_in, places, steward):
    admin, germany = f"{live_server.url}/admin", places["germany"].pk
    log_in(steward)
    page.goto(f"{admin}/airports/airport/?country__id__exact={germany}")
    act(page, "clear_country")
    assert page.evaluate(TOO_WIDE) <= 0
    page.get_by_label("Why").fill("it goes")
    page.get_by_role("button", name="Clear country on 1 airport").click()
    expect(page.get_by_role("button", name="Undo…")).to_be_visible()
    cleared = page.get_by_role("link", name=re.compile("^Review #")).get_attribute("href")
    assert Airport.objects.get(pk="EDDM").country is None

    page.goto(f"{admin}/base/country/?q=Germany")
    act(page, "delete_selected")
    assert page.evaluate(TOO_WIDE) <= 0
    page.get_by_label("Why").fill("not ours")
    page.get_by_role("button", name=re.compile("^Delete")).click()
    expect(page.get_by_role("button", name="Undo…")).to_be_visible()
    assert not Country.objects.filter(pk=germany).exists()

    undo(page)
    assert City.objects.filter(country_id=germany).exists()
    page.goto(f"{live_server.url}{cleared}")
    page.get_by_role("button", name="Revert…").first.click()
    page.get_by_label("Why").fill("it was right")
    page.get_by_role("button", name=re.compile(r"^Revert \d+ ")).click()
    expect(page.get_by_role("heading", name="What this revert did")).to_be_visible()
    assert Airport.objects.get(pk="EDDM").country_id == germany
