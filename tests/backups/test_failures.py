"""A backup that cannot be made says why in one sentence, and leaves nothing in its folder."""

import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection

from apps.backups import creating
from apps.backups.catalogue.manifests import list_backups
from apps.backups.creating import create_backup
from apps.backups.drivers import postgresql, sqlite
from apps.backups.errors import (
    BackupFailure,
    CopyDamaged,
    DatabaseBusy,
    DatabaseUnreadable,
    DiskFull,
    DumpFailed,
    FolderIsServed,
    FolderNotWritable,
    ProgramMissing,
    UnknownKind,
)
from tests.backups.opening import connect_to

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="this is about pg_dump")
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="this is about files of SQLite")


def refused(failure: type[BackupFailure], sentence: str, using: str, **options: str) -> None:
    """Assert that no backup is made, for this reason."""
    with pytest.raises(failure, match=re.escape(sentence)) as caught:
        create_backup(actor=None, reason="", using=using, **options)
    assert "\n" not in str(caught.value)


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    """The folder of the backups on a disk of its own with 256 kB."""
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.fixture
def pg_dump(tmp_path: Path, monkeypatch) -> Callable[[str], None]:
    """Return a function that puts a shell script in the place of pg_dump."""

    def put(script: str) -> None:
        programs = tmp_path / "programs"
        programs.mkdir()
        (programs / "pg_dump").write_text(f"#!/bin/sh\n{script}\n")
        (programs / "pg_dump").chmod(0o700)
        monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")

    return put


@on_sqlite
def test_a_disk_without_room_is_refused_before_anything_is_written(using: str, small_disk: Path) -> None:
    refused(DiskFull, f"The disk of {small_disk} is full: a backup needs up to", using)

    assert list(small_disk.iterdir()) == []


def test_a_disk_that_fills_up_meanwhile_is_one_sentence_and_nothing_half_is_left(
    using: str, small_disk: Path, monkeypatch
) -> None:
    monkeypatch.setattr(creating.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 0, 10**12))
    filler = small_disk / "somebody else's"
    filler.write_bytes(b"x" * 250_000)

    refused(DiskFull, "No backup was made; make room, or set BACKUP_DIR to a folder on another disk.", using)

    assert list(small_disk.iterdir()) == [filler]


def test_a_disk_that_is_full_for_the_manifest_takes_the_copy_with_it(using: str, folder: Path, monkeypatch) -> None:
    def full(_backup: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(creating, "write_manifest", full)

    refused(DiskFull, f"The disk of {folder} is full", using)

    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_made(using: str, settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings.BACKUP_DIR = tmp_path / "file" / "backups"

    refused(FolderNotWritable, f"Backups cannot be written in {settings.BACKUP_DIR}: ", using)


@pytest.mark.parametrize("name", ["STATIC_ROOT", "MEDIA_ROOT", "STATICFILES_DIRS"])
def test_a_folder_that_is_served_is_refused(name: str, using: str, settings, tmp_path: Path) -> None:
    setattr(settings, name, [("files", tmp_path / "served")] if name == "STATICFILES_DIRS" else tmp_path / "served")
    settings.BACKUP_DIR = tmp_path / "elsewhere" / ".." / "served" / "backups"

    refused(FolderIsServed, f"the web server gives anybody the files in {tmp_path / 'served'}", using)

    assert not (tmp_path / "served").exists()


@pytest.mark.parametrize("kind", ["../../etc/passwd", "", "weekly"])
def test_a_kind_that_is_none_never_becomes_a_name(kind: str, using: str, folder: Path) -> None:
    refused(
        UnknownKind,
        f"There is no backup of kind {kind!r}: use one of full, before-import, before-bulk,",
        using,
        kind=kind,
    )

    assert not folder.exists()


def test_a_damaged_database_gives_no_backup(database: Path, using: str, folder: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        root = other.execute("SELECT rootpage FROM sqlite_master WHERE name = 'base_country'").fetchone()[0]
    with database.open("r+b") as stream:
        stream.seek((root - 1) * 4096)
        stream.write(b"\xff" * 4096)

    refused(CopyDamaged, "The database itself is probably damaged too", using)

    assert list(folder.iterdir()) == []


def test_a_database_that_is_not_there_is_not_made(database: Path, using: str, folder: Path) -> None:
    moved = database.rename(database.with_name("moved"))

    refused(DatabaseUnreadable, f"The database {database} cannot be read: unable to open database file.", using)

    assert moved.exists()
    assert not database.exists()


def test_a_file_that_is_no_database(database: Path, using: str, folder: Path) -> None:
    database.with_name(database.name + "-wal").unlink()
    database.write_bytes(b"no database at all" * 1000)

    refused(DatabaseUnreadable, "file is not a database", using)


def test_a_database_that_somebody_holds_for_too_long(database: Path, using: str, folder: Path, monkeypatch) -> None:
    monkeypatch.setattr(sqlite, "PATIENCE_SECONDS", 0)
    other = database.with_name("rollback.sqlite3")
    shutil.copy(database, other)
    with closing(sqlite3.connect(other, isolation_level=None)) as holder:
        holder.execute("PRAGMA journal_mode = DELETE")
        holder.execute("BEGIN EXCLUSIVE")
        other.rename(database)

        refused(DatabaseBusy, "Somebody held the database", using)


@on_postgresql
def test_without_pg_dump_it_says_what_to_install(using: str, folder: Path, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    refused(ProgramMissing, "pg_dump is not on PATH, so no backup was made: install PostgreSQL's client", using)

    assert list(folder.iterdir()) == []


@on_postgresql
def test_a_pg_dump_that_gives_up_is_told_by_its_first_line(using: str, folder: Path, pg_dump: Callable) -> None:
    pg_dump("echo 'pg_dump: error: server version mismatch' >&2; echo 'more' >&2; exit 1")

    refused(
        DumpFailed, "pg_dump made no backup: pg_dump: error: server version mismatch. Nothing of it is left.", using
    )

    assert list(folder.iterdir()) == []


@on_postgresql
@pytest.mark.parametrize("script", ["exit 0", "kill -9 $$"])
def test_a_pg_dump_that_writes_no_dump_is_not_believed(
    script: str, using: str, folder: Path, pg_dump: Callable
) -> None:
    pg_dump(script)

    with pytest.raises((CopyDamaged, DumpFailed)):
        create_backup(actor=None, reason="", using=using)

    assert list(folder.iterdir()) == []


@on_postgresql
def test_no_other_user_of_the_machine_sees_the_password(
    using: str, folder: Path, pg_dump: Callable, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "PASSWORD", "secret of the database")
    pg_dump(f'echo "$@" > {tmp_path}/seen; echo "$PGPASSWORD" > {tmp_path}/given; exit 1')

    with pytest.raises(DumpFailed):
        create_backup(actor=None, reason="", using=using)

    assert "--format=custom" in (tmp_path / "seen").read_text()
    assert "secret" not in (tmp_path / "seen").read_text()
    assert (tmp_path / "given").read_text() == "secret of the database\n"


@on_postgresql
def test_a_table_that_somebody_holds_for_too_long(using: str, folder: Path, monkeypatch) -> None:
    monkeypatch.setattr(postgresql, "PATIENCE_SECONDS", 1)

    with connect_to(using) as other:
        other.execute("BEGIN")
        other.execute("LOCK TABLE base_country IN ACCESS EXCLUSIVE MODE")
        refused(DatabaseBusy, "Somebody held a table for more than 1 seconds", using)

    assert list_backups() == []
    assert list(folder.iterdir()) == []
