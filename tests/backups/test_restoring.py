"""A restore makes the database exactly what the backup has, or leaves it exactly as it was."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, connections
from django.utils import timezone
from psycopg.errors import LockNotAvailable

from apps.backups.catalogue.journal import journal_file, read_journal
from apps.backups.catalogue.manifests import Backup, amend, list_backups
from apps.backups.creating import create_backup, sha256_of
from apps.backups.errors import (
    BackupAltered,
    BackupFailure,
    BackupUnreadable,
    ChangedMeanwhile,
    DiskFull,
    NewerSchema,
    NotTheSame,
    OtherEngine,
    ProgramMissing,
    RestoreRefused,
    UnknownBackup,
)
from apps.backups.restore.database import Restored, restore
from apps.backups.restore.opening import find_backup
from apps.base.models import Country
from apps.changesets.recording import recording_problems
from apps.changesets.recording.audit import find_drift
from apps.imports.models import ImportRun, RunStatus
from tests.backups.opening import connect_to, live_contents

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="this is about PostgreSQL")
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="it is about files, or the same on both")


@pytest.fixture
def backup(using: str, folder: Path) -> Backup:
    """A backup of three countries, one of which is renamed since, and one deleted."""
    made = create_backup(actor=None, reason="three countries", using=using)
    Country.objects.using(using).filter(iso_code="CH").update(name="Schweiz")
    Country.objects.using(using).filter(iso_code="US").delete()
    return made


def names(using: str) -> list[str]:
    return sorted(Country.objects.using(using).values_list("name", flat=True))


def restored(backup: Backup, using: str, **options: object) -> Restored:
    return restore(backup, actor=None, using=using, **options)


def refused(failure: type[BackupFailure], sentence: str, backup: Backup, using: str, **options: object) -> None:
    """Assert that nothing is restored, for this reason, and that not one row is other than before."""
    here = replace(backup, engine=connections[using].vendor)
    before = live_contents(using, here)
    with pytest.raises(failure, match=re.escape(sentence)) as caught:
        restored(backup, using, **options)
    assert "\n" not in str(caught.value)
    assert live_contents(using, here) == before


def test_each_table_is_exactly_as_it_was_when_the_backup_was_made(using: str, folder: Path) -> None:
    made = create_backup(actor=None, reason="", using=using)
    then = live_contents(using, made)
    Country.objects.using(using).all().delete()

    done = restored(made, using).done

    assert live_contents(using, made) == then
    assert done.row_counts == made.row_counts
    assert (done.objects, done.drift) == (3, 0)


@on_sqlite
def test_what_was_there_before_is_backed_up_and_comes_back(backup: Backup, using: str) -> None:
    safety = restored(backup, using).done.safety

    assert safety.kind == "before-restore"
    restored(safety, using)
    assert names(using) == ["Schweiz", "日本"]


def test_afterwards_changes_are_recorded_and_new_rows_get_new_keys(backup: Backup, using: str) -> None:
    restored(backup, using)

    made = Country.objects.using(using).create(iso_code="FR", name="France")
    Country.objects.using(using).filter(iso_code="CH").update(name="Suisse")

    assert recording_problems(using) == []
    assert find_drift(using) == (4, [])
    assert made.pk > max(Country.objects.using(using).exclude(pk=made.pk).values_list("pk", flat=True))


def test_the_journal_tells_who_restored_what_and_a_restore_does_not_erase_it(backup: Backup, using: str) -> None:
    olga = User.objects.using(using).create(username="olga", is_superuser=True)

    done = restore(backup, actor=olga, reason="a wrong rename", using=using).done
    restored(done.safety, using)

    newest, _begun, first, begun = read_journal()
    assert (begun["result"], first["result"], newest["result"]) == ("begun", "restored", "restored")
    assert (first["backup"], first["actor"], first["reason"]) == (backup.id, "olga", "a wrong rename")
    assert (first["safety"], first["rows"]) == (done.safety.id, backup.rows)
    assert journal_file().stat().st_mode & 0o777 == 0o600


@on_sqlite
def test_a_line_half_written_by_a_power_cut_does_not_swallow_the_next(backup: Backup, using: str) -> None:
    journal_file().write_text('{"at": "2026-11-24T')

    restored(backup, using)

    assert [entry["result"] for entry in read_journal()] == ["restored", "begun"]


def test_a_backup_of_an_older_version_is_migrated(using: str, folder: Path) -> None:
    call_command("migrate", "airports", "0002", database=using, verbosity=0)
    older = create_backup(actor=None, reason="", using=using)
    call_command("migrate", database=using, verbosity=0)

    done = restored(older, using).done

    assert done.migrated[0] == "airports.0003_history"
    assert recording_problems(using) == []


@on_sqlite
def test_a_backup_of_a_newer_version_is_refused(backup: Backup, using: str) -> None:
    newer = amend(backup, migrations=(*backup.migrations, "base.0999_moons"))

    refused(NewerSchema, "was made by a newer version of the console (base.0999_moons is not known here)", newer, using)


@on_sqlite
def test_a_backup_of_another_engine_is_refused(backup: Backup, using: str) -> None:
    engine, named = ("postgresql", "PostgreSQL") if backup.engine == "sqlite" else ("sqlite", "SQLite")

    refused(OtherEngine, f"is of a {named} database and cannot be restored", amend(backup, engine=engine), using)


@on_sqlite
def test_a_backup_that_is_cut_off_or_altered_is_refused(backup: Backup, using: str) -> None:
    data = backup.file.read_bytes()

    backup.file.write_bytes(data[: len(data) // 2])
    refused(BackupAltered, "is not whole: it has", backup, using)
    backup.file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    refused(BackupAltered, "its SHA-256 is not that of its manifest", backup, using)


def test_a_file_that_is_no_backup_is_refused_whatever_its_manifest_says(backup: Backup, using: str) -> None:
    backup.file.write_bytes(b"no backup at all" * 100)
    lying = amend(backup, size_bytes=1600, sha256=sha256_of(backup.file))

    refused(BackupUnreadable, "restored; choose another one.", lying, using)


def test_a_restore_that_fails_in_the_end_leaves_the_database_as_it_was(backup: Backup, using: str) -> None:
    lying = amend(backup, row_counts={**backup.row_counts, "base_country": 4})

    refused(NotTheSame, "base_country has 3 rows after restoring", lying, using)

    assert read_journal()[0]["result"] == "failed"
    assert recording_problems(using) == []


@on_sqlite
def test_nothing_is_restored_from_under_an_import(backup: Backup, using: str) -> None:
    run = ImportRun.objects.using(using).create(
        spec="ourairports", file_name="a.csv", file_size=1, status=RunStatus.RUNNING, started_at=timezone.now()
    )

    refused(RestoreRefused, f"Import {run.pk} of a.csv is running, so nothing was restored: wait", backup, using)

    assert len(list_backups()) == 1


@on_sqlite
@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "", "no-such-backup"])
def test_a_name_that_is_none_finds_nothing(name: str, folder: Path) -> None:
    with pytest.raises(UnknownBackup, match=r"is not the name of a backup|There is no backup no-such-backup"):
        find_backup(name)


@on_postgresql
def test_without_pg_restore_it_says_what_to_install(backup: Backup, using: str, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    refused(ProgramMissing, "pg_restore is not on PATH, so no backup was restored: install", backup, using)


@on_sqlite
def test_what_somebody_writes_after_the_safety_backup_is_in_a_second_one(
    backup: Backup, using: str, database: Path
) -> None:
    written = []

    def write_once(step: str) -> None:
        if step == "put it in place" and not written:
            written.append(Country.objects.using(using).create(iso_code="FR", name="France"))

    done = restored(backup, using, progress=write_once).done

    assert done.safety.row_counts["base_country"] == 3
    assert [each.row_counts["base_country"] for each in list_backups()[1:2]] == [2]


@on_sqlite
def test_somebody_who_never_stops_writing_keeps_a_restore_out(backup: Backup, using: str, database: Path) -> None:
    def write(step: str) -> None:
        if step == "put it in place":
            with connect_to(using) as somebody:
                somebody.execute("INSERT INTO auth_group (name) SELECT 'g' || count(*) FROM auth_group")

    with pytest.raises(ChangedMeanwhile, match="nothing was restored"):
        restored(backup, using, progress=write)

    assert names(using) == ["Schweiz", "日本"]


@on_postgresql
def test_nobody_writes_between_the_safety_backup_and_the_restore(backup: Backup, using: str) -> None:
    kept_out = []

    def write(step: str) -> None:
        if step.startswith(("back up", "restore")):
            kept_out.append(step)
            with connect_to(using) as somebody:
                somebody.execute("SET lock_timeout = '50ms'")
                with pytest.raises(LockNotAvailable):
                    somebody.execute("INSERT INTO auth_group (name) VALUES ('late')")

    restored(backup, using, progress=write)

    assert kept_out == ["back up what is there now", f"restore {backup.id}"]


@on_sqlite
def test_an_open_connection_goes_on_after_a_restore(backup: Backup, using: str, database: Path) -> None:
    with connect_to(using) as somebody:
        assert somebody.execute("SELECT count(*) FROM base_country").fetchone() == (2,)

        restored(backup, using)

        assert somebody.execute("SELECT count(*) FROM base_country").fetchone() == (3,)
        assert somebody.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert somebody.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@on_sqlite
def test_a_database_that_is_gone_comes_back(backup: Backup, using: str, database: Path) -> None:
    connections[using].close()
    for file in database.parent.glob(f"{database.name}*"):
        file.unlink()

    done = restored(backup, using).done

    assert done.safety is None
    assert names(using) == ["Switzerland", "United States", "日本"]


@on_sqlite
def test_a_damaged_database_is_not_overwritten_and_it_says_what_to_do(
    backup: Backup, using: str, database: Path
) -> None:
    connections[using].close()
    database.with_name(f"{database.name}-wal").unlink()
    database.write_bytes(b"no database at all" * 1000)

    with pytest.raises(RestoreRefused, match=f"so nothing was restored over it: move {database} away"):
        restored(backup, using)

    assert database.read_bytes() == b"no database at all" * 1000


@on_sqlite
def test_a_full_disk_of_backups_restores_nothing(backup: Backup, using: str, folder: Path, tmp_path: Path) -> None:
    kept = folder.rename(tmp_path / "kept")
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=900k", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    try:
        shutil.copytree(kept, folder, dirs_exist_ok=True)

        refused(DiskFull, f"There is no room to restore {backup.id}: nothing was restored", backup, using)

        assert list(folder.glob(".scratch*")) == []
        assert read_journal()[0]["result"] == "failed"
    finally:
        subprocess.run(["umount", folder], check=True)
