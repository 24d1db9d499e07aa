"""A backup is made while others write: it holds one committed state, and keeps nobody from writing."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from apps.backups.creating import create_backup
from apps.backups.drivers import sqlite
from tests.backups.opening import connect_to, contents_elsewhere, live_contents

MANY = 20_000


@pytest.fixture
def other(database: Path) -> Iterator[sqlite3.Connection]:
    """Somebody else's connection to the SQLite database, who never waits for a lock."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=0, check_same_thread=False)) as opened:
        yield opened


def test_rows_that_an_import_has_not_committed_are_not_in_the_copy(
    other: sqlite3.Connection, using: str, folder: Path, tmp_path: Path
) -> None:
    other.execute("PRAGMA cache_size = 10")  # So that uncommitted rows spill into the WAL file.
    other.execute("BEGIN IMMEDIATE")
    other.executemany("INSERT INTO auth_group (name) VALUES (?)", ((f"group {n}",) for n in range(MANY)))

    backup = create_backup(actor=None, reason="meanwhile", using=using)

    assert backup.row_counts["auth_group"] == 0
    with closing(sqlite3.connect(backup.file)) as opened:
        assert opened.execute("PRAGMA quick_check").fetchone() == ("ok",)
    other.execute("COMMIT")
    assert other.execute("SELECT COUNT(*) FROM auth_group").fetchone() == (MANY,)
    assert contents_elsewhere(backup, tmp_path / "elsewhere")["auth_group"][0] == 0


def test_who_commits_while_it_is_copied_is_not_kept_waiting_and_never_seen_by_half(
    other: sqlite3.Connection, using: str, folder: Path, monkeypatch
) -> None:
    monkeypatch.setattr(sqlite, "PAGES_PER_STEP", 1)
    enough, written = threading.Event(), []

    def write_pairs() -> None:
        while not enough.is_set():
            name = f"pair {len(written)}"
            other.execute("BEGIN IMMEDIATE")
            other.execute("INSERT INTO auth_group (name) VALUES (?)", (name,))
            other.execute("INSERT INTO django_content_type (app_label, model) VALUES ('pairs', ?)", (name,))
            other.execute("COMMIT")
            written.append(name)

    types = other.execute("SELECT count(*) FROM django_content_type").fetchone()[0]
    writer = threading.Thread(target=write_pairs)
    writer.start()
    before = len(written)
    backups = [create_backup(actor=None, reason="meanwhile", using=using) for _ in range(5)]
    during = len(written) - before
    enough.set()
    writer.join()

    assert during > 5
    counted = [backup.row_counts for backup in backups]
    assert all(counts["auth_group"] == counts["django_content_type"] - types for counts in counted)
    assert backups[-1].row_counts["auth_group"] > backups[0].row_counts["auth_group"]


def test_what_others_commit_after_it_began_is_not_in_it_and_does_not_begin_it_again(
    other: sqlite3.Connection, using: str, folder: Path, monkeypatch
) -> None:
    copy = sqlite._copy

    def commit_and_copy(*arguments: object) -> None:
        other.execute("INSERT INTO auth_group (name) VALUES ('too late')")
        copy(*arguments)

    monkeypatch.setattr(sqlite, "_copy", commit_and_copy)

    assert create_backup(actor=None, reason="meanwhile", using=using).row_counts["auth_group"] == 0


def test_what_a_backup_counts_is_what_it_holds_while_others_commit(using: str, folder: Path, tmp_path: Path) -> None:
    enough, counted = threading.Event(), []

    def write() -> None:
        while not enough.is_set():
            other.execute(f"INSERT INTO auth_group (name) VALUES ('group {len(counted)}')")
            counted.append(1)

    with connect_to(using) as other:
        writer = threading.Thread(target=write)
        writer.start()
        backup = create_backup(actor=None, reason="meanwhile", using=using)
        enough.set()
        writer.join()

    held = contents_elsewhere(backup, tmp_path / "elsewhere")
    assert {table: count for table, (count, _) in held.items()} == backup.row_counts
    assert backup.row_counts["auth_group"] <= len(counted)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite's own test is above")
def test_what_the_caller_has_not_committed_is_not_in_a_dump(using: str, folder: Path, tmp_path: Path) -> None:
    connection.set_autocommit(False)
    try:
        Group.objects.bulk_create(Group(name=f"group {n}") for n in range(5000))
        backup = create_backup(actor=None, reason="meanwhile", using=using)
    finally:
        connection.rollback()
        connection.set_autocommit(True)

    assert backup.row_counts["auth_group"] == 0
    assert contents_elsewhere(backup, tmp_path / "elsewhere") == live_contents(using, backup)
