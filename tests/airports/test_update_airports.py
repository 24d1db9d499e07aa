"""update_airports: for cron: one at a time, after a backup, all or nothing, and a line that tells."""

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from apps.airports.management.commands.update_airports import LOCK
from apps.airports.models import Airport
from apps.backups import automatic
from apps.backups.catalogue.manifests import list_backups
from apps.backups.creating import create_backup
from apps.backups.errors import DiskFull
from apps.changesets import hooks
from apps.changesets.hooks import Coming
from apps.changesets.models import Changeset
from apps.changesets.processes.watched import ask_to_stop
from apps.imports.models import ImportRun, RunStatus
from apps.imports.runs import engine
from apps.imports.runs.files import kept_file
from tests.imports.files import airports_file  # noqa: F401

pytestmark = pytest.mark.django_db
KEYS = [
    *("changeset", "total", "created", "updated", "renamed", "unchanged", "skipped", "refused", "kept", "missing"),
    *("country_links", "countries_created", "city_links", "cities_created", "cells_refused"),
    *("disputed", "corrections", "duration_s", "unusual", "same_file", "takes_back"),
    *("initial_count", "final_count", "run"),
]
BAD = {"latitude_deg": "91"}


@pytest.fixture
def backups(monkeypatch) -> list[int]:
    """Instead of making backups, note how many airports there are at the time."""
    made: list[int] = []

    def back_up(coming: Coming) -> str:
        assert coming.required
        made.append(Airport.objects.count())
        return f"backup-{len(made)}"

    monkeypatch.setattr(hooks.PREPARATIONS, "_added", {"": [back_up]})
    return made


@pytest.fixture
def lines(caplog) -> Callable[[], list[dict]]:
    """Return a function that reads the structured lines of the log."""
    caplog.set_level(logging.INFO, logger="apps.imports.update")

    def read() -> list[dict]:
        return [json.loads(record.message) for record in caplog.records if record.name == "apps.imports.update"]

    return read


@pytest.fixture
def update(airports_file, backups) -> Callable[..., dict]:  # noqa: F811
    """Return a function that runs the command over the rows given and returns what it prints."""

    def run(*rows: dict[str, str], options: tuple[str, ...] = (), raw: str | None = None) -> dict:
        out = StringIO()
        path = airports_file(*rows, raw=raw)
        call_command("update_airports", "--file", str(path), "--json", *options, stdout=out)
        return json.loads(out.getvalue())

    return run


def test_it_backs_up_imports_and_says_so(update, backups, lines):
    result = update({}, {}, options=("--reason", "nightly"))

    assert list(result) == KEYS
    assert (result["created"], result["initial_count"], result["final_count"]) == (2, 0, 2)
    assert backups == [0]
    made = Changeset.objects.get()
    assert (made.pk, made.reason) == (result["changeset"], "nightly")
    [line] = lines()
    assert line["counts"]["created"] == 2
    assert (line["event"], line["changeset"], line["outcome"]) == ("update_airports", made.pk, "applied")
    assert (line["backup"], line["run"]) == ("backup-1", ImportRun.objects.get().pk)


def test_the_run_is_there_to_be_seen_with_its_file(update):
    update({})

    run = ImportRun.objects.get()
    assert (run.status, run.lock, run.changeset) == (RunStatus.APPLIED, None, Changeset.objects.get())
    assert run.counts["created"] == 1
    with kept_file(run) as source:
        assert source.identity.sha256 == Changeset.objects.get().source_sha256


def test_the_same_file_again_changes_nothing_and_needs_no_backup(update, backups, lines):
    update({})

    result = update({})

    assert backups == [0]
    assert (result["changeset"], result["unchanged"]) == (None, 1)
    assert [line["outcome"] for line in lines()] == ["applied", "unchanged"]
    assert Changeset.objects.count() == 1


def test_a_backup_can_be_left_out(update, backups, lines):
    update({}, options=("--no-backup",))

    assert backups == []
    assert lines()[0]["backup"] is None


def test_a_dry_run_writes_nothing_at_all(update, backups, lines):
    result = update({}, {}, options=("--dry-run",))

    assert list(result) == KEYS
    assert (result["created"], result["changeset"], result["final_count"]) == (2, None, 0)
    assert not Airport.objects.exists()
    assert not ImportRun.objects.exists()
    assert backups == lines() == []


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_more_than_one_row_in_a_hundred_refused_is_too_many(update, options):
    with pytest.raises(CommandError, match=r"2 of 101 rows of .* are refused, more than 1 %: nothing was imported"):
        update(BAD, BAD, *[{}] * 99, options=options)

    assert not Airport.objects.exists()
    assert not Changeset.objects.exists()
    assert [run.status for run in ImportRun.objects.all()] == ([] if options else [RunStatus.FAILED])


def test_one_row_in_a_hundred_refused_is_not(update):
    assert update(BAD, *[{}] * 99)["created"] == 99


def test_too_many_refused_leaves_a_failed_run_and_a_line(update, lines):
    with pytest.raises(CommandError):
        update(BAD)

    run = ImportRun.objects.get()
    assert (run.status, run.lock) == (RunStatus.FAILED, None)
    assert "more than 1 %: nothing was imported. The first: line 2, latitude_deg" in run.error
    [line] = lines()
    assert (line["outcome"], line["run"], line["changeset"], line["counts"]["refused"]) == ("refused", run.pk, None, 1)
    assert line["error"] == run.error


def test_a_second_one_is_told_who_is_at_it_since_when(update, lines):
    since = timezone.now() - timedelta(seconds=2)
    values = {"spec": "ourairports", "file_name": "x", "file_sha256": "", "file_size": 0, "lock": LOCK}
    holder = ImportRun.objects.create(
        **values, status=RunStatus.RUNNING, started_at=since, summary={"host": "night", "process": 77}
    )

    with pytest.raises(CommandError) as caught:
        update({})

    assert f"by import {holder.pk} (process 77 on night) since {since:%H:%M:%S on %Y-%m-%d}" in str(caught.value)
    assert ImportRun.objects.get() == holder
    assert lines()[0]["outcome"] == "locked"


def test_one_that_crashed_does_not_block_for_ever(update):
    long_ago = timezone.now() - timedelta(hours=1)
    values = {"spec": "ourairports", "file_name": "x", "file_sha256": "", "file_size": 0, "lock": LOCK}
    crashed = ImportRun.objects.create(**values, status=RunStatus.RUNNING, started_at=long_ago)

    assert update({})["created"] == 1

    crashed.refresh_from_db()
    assert (crashed.status, crashed.lock) == (RunStatus.FAILED, None)


def test_a_file_that_is_not_there_leaves_a_failed_run(lines, tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("update_airports", "--file", str(tmp_path / "nowhere.csv"))

    run = ImportRun.objects.get()
    assert (run.status, run.lock) == (RunStatus.FAILED, None)
    assert run.file_name.endswith("nowhere.csv")
    assert lines()[0]["outcome"] == "failed"


@pytest.mark.parametrize("error", [DiskFull("The disk is full."), OperationalError("gone")])
def test_no_backup_no_import(update, monkeypatch, error):
    def back_up(*args: object, **more: object) -> None:
        raise error

    monkeypatch.setattr(hooks.PREPARATIONS, "_added", {"": [automatic.before_act]})
    monkeypatch.setattr(automatic, "recent_or_new", back_up)

    with pytest.raises(CommandError, match=str(error)):
        update({})

    assert not Airport.objects.exists()
    assert ImportRun.objects.get().status == RunStatus.FAILED


@pytest.mark.django_db(transaction=True)
def test_what_breaks_while_it_is_written_is_taken_back_whole(update, monkeypatch):
    def breaks(*args: object, **values: object) -> None:
        raise OperationalError("disk I/O error")

    monkeypatch.setattr(engine, "move", breaks)

    with pytest.raises(CommandError, match="The database says: disk I/O error"):
        update({})

    assert not Airport.objects.exists()
    assert [made.status for made in Changeset.objects.all()] == ["failed"]
    assert ImportRun.objects.get().status == RunStatus.FAILED


@pytest.mark.django_db(transaction=True)
def test_it_can_be_cancelled(update, monkeypatch, lines):
    def cancel_meanwhile(coming: Coming) -> str:
        run = ImportRun.objects.get()
        ask_to_stop(run.pk)
        return "backup"

    monkeypatch.setattr(hooks.PREPARATIONS, "_added", {"": [cancel_meanwhile]})
    monkeypatch.setattr("apps.imports.runs.lease._BEAT_SECONDS", 0.01)

    with pytest.raises(CommandError, match="Somebody asked this import to stop; nothing was written"):
        update(*[{}] * 5000)

    assert ImportRun.objects.get().status == RunStatus.CANCELLED
    assert not Airport.objects.exists()
    assert lines()[0]["outcome"] == "cancelled"


@pytest.mark.django_db(transaction=True)
def test_one_that_was_given_up_meanwhile_writes_nothing(update, monkeypatch):
    def given_up(coming: Coming) -> str:
        ImportRun.objects.update(status=RunStatus.FAILED, error="The worker stopped.", lock=None)
        return "backup"

    monkeypatch.setattr(hooks.PREPARATIONS, "_added", {"": [given_up]})

    with pytest.raises(CommandError, match="was given up: nothing was written"):
        update({})

    assert not Airport.objects.exists()
    assert ImportRun.objects.get().error == "The worker stopped."


def test_a_backup_is_made_for_real_before_anything_is_imported(airports_file, settings, tmp_path):  # noqa: F811
    settings.BACKUP_DIR = tmp_path / "backups"

    call_command("update_airports", "--file", str(airports_file({}, {})), verbosity=0)

    (made,) = list_backups()
    assert (made.kind, made.reason) == ("before-import", "before update_airports")
    assert made.row_counts["airports_airport"] == 0
    assert Airport.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_backup_of_all_there_is_now_is_not_made_twice(airports_file, settings, tmp_path, lines):  # noqa: F811
    settings.BACKUP_DIR = tmp_path / "backups"
    call_command("import_airports", "--file", str(airports_file({})), verbosity=0)
    made = create_backup(actor=None, reason="by hand")

    call_command("update_airports", "--file", str(airports_file({}, {})), verbosity=0)

    assert [backup.id for backup in list_backups()] == [lines()[-1]["backup"]] == [made.id]
