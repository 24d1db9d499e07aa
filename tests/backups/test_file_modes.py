"""Files that the console makes are for their owner alone: the database, a restored one, copies elsewhere."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections

from apps.backups.aliases import sqlite_file
from apps.backups.creating import create_backup
from apps.backups.restore.database import restore
from tests.backups.test_offsite import elsewhere  # noqa: F401 - a fixture

FORBIDDEN = 0o077


@pytest.fixture(autouse=True)
def generous() -> Iterator[None]:
    """Without us, others could read what is made."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def readable_by_others(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.stat().st_mode & FORBIDDEN]


@pytest.mark.django_db
@pytest.mark.once
def test_a_new_database_and_its_other_files_are_private(tmp_path: Path) -> None:
    with sqlite_file(tmp_path / "new.sqlite3") as alias, connections[alias].cursor() as cursor:
        cursor.execute("CREATE TABLE t (a integer)")

        assert len(list(tmp_path.iterdir())) == 3
        assert readable_by_others(tmp_path) == []


@pytest.mark.django_db
@pytest.mark.once
def test_a_database_that_others_may_read_on_purpose_stays_so(tmp_path: Path) -> None:
    file = tmp_path / "shared.sqlite3"
    with sqlite_file(file) as alias, connections[alias].cursor() as cursor:
        cursor.execute("CREATE TABLE t (a integer)")
    file.chmod(0o660)

    with sqlite_file(file) as alias, connections[alias].cursor() as cursor:
        cursor.execute("SELECT * FROM t")

    assert file.stat().st_mode & 0o777 == 0o660


def test_a_restored_file_and_copies_elsewhere_are_private(
    elsewhere: Path,  # noqa: F811
    folder: Path,
    using: str,
    tmp_path: Path,
) -> None:
    made = create_backup(actor=None, reason="", kind="data", using=using)
    into = tmp_path / "restored.sqlite3"

    restore(made, actor=None, using=using, into=str(into))

    assert into.stat().st_mode & FORBIDDEN == 0
    assert len(readable_by_others(folder)) == len(readable_by_others(elsewhere)) == 0
    assert len(list(elsewhere.iterdir())) == 2
