"""A person backs the database up, proves it, damages a row, and restores by typing the name, in a real browser."""

import pytest
from playwright.sync_api import expect

from apps.airports.models import Airport
from apps.backups.catalogue import list_backups
from apps.backups.journal import read_journal

from .test_browser_revert import fits

pytestmark = pytest.mark.browser


def test_the_database_is_backed_up_proved_damaged_and_restored(
    live_server, page, log_in, places, make_person, edit, screenshots
):
    log_in(make_person("anna", group="approver"))
    page.goto(f"{live_server.url}/admin/")
    expect(page.locator("[data-waiting], form[data-keep]")).to_have_count(0)
    page.get_by_role("link", name="Backups", exact=True).last.click()
    expect(page.get_by_text("There is no backup yet.")).to_be_visible()
    assert fits(page)
    screenshots("backups-none")
    page.get_by_role("link", name="Back up now…").click()
    page.get_by_label("Label").fill("before the summer")
    assert fits(page)
    screenshots("back-up")
    page.get_by_role("button", name="Back up now").click()
    expect(page.get_by_text("Backed up")).to_be_visible()
    page.get_by_role("button", name="Prove that it restores").click()
    expect(page.get_by_text("It restores")).to_be_visible()
    (backup,) = list_backups()
    edit("KDEN", name="Damaged", reason="a slip")

    page.get_by_role("link", name="All backups").click()
    expect(page.get_by_text("✓ verified")).to_be_visible()
    page.get_by_role("link", name=f"Restore {backup.id}").click()
    expect(page.get_by_text("made since will be gone")).to_be_visible()
    page.get_by_label("Why").fill("a slip of the hand")
    page.get_by_label("Type the name").fill("the one from the summer")
    page.get_by_role("button", name="Restore the database").click()
    expect(page.get_by_text("nothing was restored")).to_be_visible()
    assert fits(page)
    screenshots("restore-database")
    page.get_by_label("Type the name").fill(backup.id)
    page.get_by_role("button", name="Restore the database").click()

    # The session began before the backup, so it is there still.
    expect(page.get_by_text("What was there before is in")).to_be_visible()
    assert fits(page)
    screenshots("backup-restored")
    assert Airport.objects.get(pk="KDEN").name == "Denver International Airport"
    assert read_journal()[0]["reason"] == "a slip of the hand"
    page.get_by_role("link", name="All backups").click()
    expect(page.get_by_text("✓ restored")).to_be_visible()
    assert fits(page)
    screenshots("backups")
