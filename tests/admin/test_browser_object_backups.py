"""A person backs up an airport, damages it, and restores one field, in a real browser."""

import pytest
from playwright.sync_api import expect

from apps.airports.models import Airport
from apps.base.models import Country
from apps.changesets.context import changeset
from apps.changesets.models import Changeset

from .test_browser_revert import fits

pytestmark = pytest.mark.browser


def test_an_airport_is_backed_up_damaged_and_one_field_restored(live_server, page, log_in, places, steward, edit):
    log_in(steward)
    page.goto(f"{live_server.url}/admin/airports/airport/KDEN/change/")
    assert fits(page)
    page.get_by_role("link", name="Back up…").click()
    page.get_by_label("Why").fill("before the summer")
    page.get_by_role("button", name="Back up this airport").click()
    expect(page.get_by_text("is backed up in")).to_be_visible()
    edit("KDEN", name="Damaged", elevation_ft=-1)

    page.get_by_role("link", name="Its backups").click()
    expect(page.get_by_role("link", name="Compare and restore…")).to_be_visible()
    assert fits(page)
    page.get_by_role("link", name="Compare and restore…").click()
    expect(page.locator("del", has_text="Damaged")).to_be_visible()
    assert fits(page)
    page.get_by_role("checkbox", name="Elevation").uncheck()
    page.get_by_label("Why").fill("the name was right")
    page.get_by_role("button", name="Restore the ticked fields").click()

    expect(page.get_by_text("is restored from its backup.")).to_be_visible()
    expect(page.get_by_role("button", name="Undo…")).to_be_visible()
    airport = Airport.objects.get(pk="KDEN")
    assert (airport.name, airport.elevation_ft) == ("Denver International Airport", -1)
    assert Changeset.objects.first().kind == "restore"


def test_a_country_is_backed_up_with_its_cities_and_brought_back(live_server, page, log_in, places, steward):
    log_in(steward)
    page.goto(f"{live_server.url}/admin/base/country/{places['usa'].pk}/change/")
    page.get_by_role("link", name="Back up…").click()
    page.get_by_label("With its cities and the links of its airports").check()
    page.get_by_label("Why").fill("before the merge")
    assert fits(page)
    page.get_by_role("button", name="Back up this country").click()
    expect(page.get_by_text("is backed up in")).to_be_visible()
    with changeset(kind="delete", actor=None):
        Airport.objects.update(country=None, city=None)
        places["denver"].delete()
        places["usa"].delete()

    page.goto(f"{live_server.url}/admin/base/country/{Country.history.first().id}/history/")
    page.get_by_role("link", name="Restore from a backup…").click()
    page.get_by_role("link", name="Compare and restore…").click()
    page.get_by_label("Also what belonged to it then").check()
    page.get_by_label("Why").fill("it was needed")
    assert fits(page)
    page.get_by_role("button", name="Bring it back").click()

    expect(page.get_by_text("is restored from its backup.")).to_be_visible()
    assert Airport.objects.get(pk="KDEN").city.country.iso_code == "US"
