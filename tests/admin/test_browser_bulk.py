"""Bulk actions in a real browser: select by filter, clear the country, delete it, undo both, relink."""

import re

import pytest
from playwright.sync_api import expect

from apps.airports.models import Airport
from apps.base.models import Country

pytestmark = pytest.mark.browser
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def confirm(page, reason: str, button: str) -> None:
    page.get_by_label("Why").fill(reason)
    page.get_by_role("button", name=re.compile(button)).click()


def test_clear_the_country_delete_it_undo_both_and_relink(live_server, page, log_in, places, steward, screenshots):
    admin, usa = f"{live_server.url}/admin", places["usa"]
    log_in(steward)

    # The deletion is refused in words, and leads to what clears the way.
    page.goto(f"{admin}/base/country/{usa.pk}/delete/")
    expect(page.get_by_text("2 airports point to United States (US): clear their country first.")).to_be_visible()
    assert page.evaluate(TOO_WIDE) <= 0
    page.get_by_role("button", name="Clear the country of their airports…").click()
    expect(page.locator("#content h1")).to_have_text("Clear country on 2 airports")
    screenshots("bulk-confirm")
    confirm(page, "the country goes", "^Clear country on 2 airports")
    expect(page.get_by_text("The country of 2 airports cleared.")).to_be_visible()

    # Now it goes, with its city.
    page.goto(f"{admin}/base/country/{usa.pk}/delete/")
    confirm(page, "gone", "^Delete United States")
    expect(page.get_by_text("United States (US) deleted.")).to_be_visible()
    assert not Country.objects.filter(pk=usa.pk).exists()

    # Undo the deletion; relink what was cleared, found by the filter.
    page.get_by_role("link", name="Undo…").first.click()
    page.get_by_label("Why").fill("it is there after all")
    page.get_by_role("button", name=re.compile("^(Revert|Undo)")).click()
    expect(page.locator("#content h1")).to_contain_text("Revert")
    page.goto(f"{admin}/airports/airport/?links=no-country")
    page.locator("#action-toggle").check()
    page.get_by_label("Action:").select_option("relink")
    page.get_by_role("button", name=re.compile("^(Go|Run)")).click()
    confirm(page, "linked again", "^Relink 2 airports")
    expect(page.get_by_text(re.compile("2 airports relinked"))).to_be_visible()
    assert Airport.objects.filter(country=usa, city=places["denver"]).count() == 2


def test_duplicates_stand_side_by_side(live_server, page, log_in, places, steward, screenshots):
    Airport.objects.create(ident="A1", name="Old Denver", airport_type="small_airport", iata_code="DEN")
    log_in(steward)

    page.goto(f"{live_server.url}/admin/airports/airport/")
    page.locator("#action-toggle").check()
    page.get_by_label("Action:").select_option("resolve_duplicates")
    page.get_by_role("button", name=re.compile("^(Go|Run)")).click()

    expect(page.get_by_role("radio", name="A1 · Old Denver · Small airport")).to_be_visible()
    assert page.evaluate(TOO_WIDE) <= 0
    screenshots("bulk-duplicates")
    page.get_by_role("radio", name="A1 · Old Denver").check()
    confirm(page, "moved", "^Resolve 1 shared IATA code")
    expect(page.get_by_text("This is the plan of what you chose now")).to_be_visible()
    confirm(page, "moved", "^Resolve 1 shared IATA code")
    expect(page.get_by_text(re.compile("1 airport without IATA code"))).to_be_visible()
    assert Airport.objects.get(pk="A1").iata_code == "DEN"
