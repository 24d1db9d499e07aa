"""A person backs the database up, proves it, damages a row, and restores by typing the name, in a real browser."""

import time

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from apps.airports.models import Airport
from apps.backups import work
from apps.backups.catalogue.journal import read_journal
from apps.backups.catalogue.manifests import Backup, list_backups
from apps.changesets.processes.holding import release_file
from apps.changesets.processes.progress import board, entry
from tests.conftest import PASSWORD

from .test_browser_revert import fits

pytestmark = pytest.mark.browser


@pytest.fixture
def anna(make_person) -> User:
    """Anna, who may restore."""
    person = make_person("anna", group="approver")
    User.objects.filter(pk=person.pk).update(is_superuser=True)
    return person


def back_up_and_prove(page: Page) -> Backup:
    """Make the first backup, beginning at the first page, and prove that it restores."""
    page.get_by_text("All tables").click()
    page.get_by_role("link", name="Backups", exact=True).last.click()
    expect(page.get_by_text("There is no backup yet.")).to_be_visible()
    assert fits(page)
    page.get_by_role("link", name="Back up now…").click()
    page.get_by_label("Label").fill("before the summer")
    assert fits(page)
    page.get_by_role("button", name="Back up now").click()
    expect(page.locator(".lead")).to_contain_text("Backed up")
    page.get_by_role("button", name="Verify it").click()
    expect(page.locator(".lead")).to_contain_text("Verified")
    (backup,) = list_backups()
    return backup


def look_at_the_table_of_airports(page: Page) -> None:
    """Ask what a restore of one table would change, and choose everything after all."""
    page.get_by_label("Only the rows of these tables").check()
    page.get_by_label("Airports: 3 rows").check()
    page.get_by_role("button", name="Show what that changes").click()
    expect(page.get_by_role("button", name="Restore 1 table")).to_be_visible()
    assert fits(page)
    page.get_by_label("Airports: 3 rows").uncheck()
    page.get_by_label("Everything as it was").check()
    page.get_by_role("button", name="Show what that changes").click()


def restore_by_name(page: Page, backup: Backup) -> None:
    """Type a wrong name, which restores nothing, and then the right one."""
    page.get_by_label("Why").fill("a slip of the hand")
    page.get_by_label("Type the name").fill("the one from the summer")
    page.get_by_role("button", name="Restore the database").click()
    expect(page.get_by_text("nothing was restored")).to_be_visible()
    assert fits(page)
    page.get_by_label("Type the name").fill(backup.id)
    page.get_by_role("button", name="Restore the database").click()


def log_in_again(page: Page) -> None:
    """Every session ends with a restore; who logs in again finds the outcome."""
    expect(page.get_by_label("Username")).to_be_visible()
    page.get_by_label("Username").fill("anna")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("What was there before is in")).to_be_visible()
    assert fits(page)


def test_the_database_is_backed_up_proved_damaged_and_restored(live_server, page, log_in, places, anna, edit):
    log_in(anna)
    page.goto(f"{live_server.url}/admin/")
    expect(page.locator("[data-waiting], form[data-keep]")).to_have_count(0)
    backup = back_up_and_prove(page)
    edit("KDEN", name="Damaged", reason="a slip")

    page.get_by_role("link", name="All backups").click()
    expect(page.get_by_text("✓ verified")).to_be_visible()
    page.get_by_role("link", name=f"Restore {backup.id}").click()
    expect(page.get_by_text("made since will be gone")).to_be_visible()
    look_at_the_table_of_airports(page)
    restore_by_name(page, backup)

    log_in_again(page)
    assert Airport.objects.get(pk="KDEN").name == "Denver International Airport"
    assert read_journal()[0]["reason"] == "a slip of the hand"
    page.get_by_role("link", name="All backups").click()
    expect(page.get_by_text("✓ restored")).to_be_visible()
    assert fits(page)


def test_who_is_logged_out_by_the_restore_that_they_watch_is_asked_to_log_in(live_server, page, log_in, make_person):
    anna = make_person("anna", group="approver")
    log_in(anna)
    about = {"words": "Put it in place", "host": work._here()}
    watched = work._save(work.Work("watched", work.RESTORE, anna.pk, "anna", time.time(), **about))
    turn = work._take_turn(watched)
    board().set(entry("backups", "turn"), watched.id)
    page.goto(f"{live_server.url}/admin/backups/backup/work/{watched.id}/")
    expect(page.get_by_text("Put it in place")).to_be_visible()

    Session.objects.all().delete()

    expect(page.get_by_label("Username")).to_be_visible()
    assert f"/work/{watched.id}/" in page.url
    release_file(turn)
