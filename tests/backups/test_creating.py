"""A backup is one private file that holds exactly what was committed, and a manifest that tells of it."""

import hashlib
import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.contrib.auth.models import User
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder

from apps.backups import creating
from apps.backups.catalogue.folder import datetime as clock
from apps.backups.catalogue.manifests import list_backups, newest_backup
from apps.backups.creating import create_backup
from apps.changesets.models import Changeset
from tests.backups.opening import contents_elsewhere, live_contents


def test_a_backup_opened_elsewhere_has_exactly_the_rows(using: str, folder: Path, tmp_path: Path) -> None:
    backup = create_backup(actor=None, reason="proof", using=using)

    elsewhere = contents_elsewhere(backup, tmp_path / "elsewhere")
    assert elsewhere == live_contents(using, backup)
    assert {table: count for table, (count, _) in elsewhere.items()} == backup.row_counts
    assert backup.row_counts["base_country"] == backup.row_counts["base_historicalcountry"] == 3


def test_all_tables_of_all_models_are_counted(using: str, folder: Path) -> None:
    backup = create_backup(actor=None, reason="proof", using=using)

    assert set(connection.introspection.django_table_names()) <= set(backup.row_counts)
    assert "django_migrations" in backup.row_counts


def test_the_manifest_tells_what_a_restore_has_to_know(using: str, folder: Path) -> None:
    backup = create_backup(actor=None, reason="before the update", kind="before-import", using=using)

    told = json.loads((folder / f"{backup.id}.json").read_text())
    bytes_ = (folder / told["path"]).read_bytes()
    assert told["sha256"] == hashlib.sha256(bytes_).hexdigest()
    assert told["size_bytes"] == len(bytes_)
    assert (told["kind"], told["reason"], told["actor"]) == ("before-import", "before the update", "")
    assert told["engine"] == connections[using].vendor
    assert told["server_version"]
    assert set(told["migrations"]) == {f"{a}.{n}" for a, n in MigrationRecorder(connection).applied_migrations()}
    assert told["newest_changeset"] == Changeset.objects.latest("pk").pk
    assert datetime.now(tz=UTC) - datetime.fromisoformat(told["created_at"]) < timedelta(minutes=1)


def test_what_comes_back_is_what_the_catalogue_says(using: str, folder: Path) -> None:
    first = create_backup(actor=None, reason="first", using=using)
    second = create_backup(actor=None, reason="second", using=using)

    assert list_backups() == [second, first]
    assert newest_backup() == second


def test_the_manifest_names_who_asked_for_it(using: str, folder: Path) -> None:
    olga = User.objects.create_user("olga")

    assert create_backup(actor=olga, reason="to be sure", using=using).actor == "olga"


def test_nobody_else_may_read_a_backup(using: str, folder: Path) -> None:
    create_backup(actor=None, reason="", using=using)

    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600, 0o600]


def test_backups_of_one_second_have_names_of_their_own_that_sort(using: str, folder: Path, monkeypatch) -> None:
    class Stopped(clock):
        @classmethod
        def now(cls, tz=None) -> datetime:
            return datetime(2026, 11, 24, 6, 3, 37, tzinfo=UTC)

    monkeypatch.setattr("apps.backups.catalogue.folder.datetime", Stopped)

    names = [create_backup(actor=None, reason="", using=using).id for _ in range(3)]

    assert names == ["20261124-060337-full", "20261124-060337-full-02", "20261124-060337-full-03"]
    assert len(list_backups()) == 3


def test_a_copy_of_a_wal_database_is_one_file_wherever_it_is_opened(database: Path, using: str, folder: Path) -> None:
    assert database.with_name(f"{database.name}-wal").exists()

    backup = create_backup(actor=None, reason="", using=using)
    with sqlite3.connect(backup.file) as opened:
        opened.execute("SELECT COUNT(*) FROM base_country")
        assert sorted(path.suffix for path in folder.iterdir()) == [".json", ".sqlite3"]
        assert opened.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    opened.close()


def test_there_is_no_backup_before_its_manifest(using: str, folder: Path, monkeypatch) -> None:
    seen = []
    monkeypatch.setattr(creating, "write_manifest", lambda backup: seen.append((list_backups(), backup.file.exists())))

    create_backup(actor=None, reason="", using=using)

    assert seen == [([], True)]
