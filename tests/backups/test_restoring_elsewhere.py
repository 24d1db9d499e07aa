"""A backup is restored into a fresh file or database, and the live one is not touched."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection, connections

from apps.backups.aliases import alias_of, elsewhere
from apps.backups.catalogue.journal import read_journal
from apps.backups.catalogue.manifests import amend, list_backups
from apps.backups.creating import create_backup
from apps.backups.errors import BackupFailure, DiskFull, NotFresh, NotTheSame, OtherEngine, UnknownTarget
from apps.backups.restore.database import restore
from apps.base.models import Country
from apps.changesets.recording import recording_problems
from apps.changesets.recording.audit import find_drift
from tests.backups.opening import connect_to, live_contents


@pytest.fixture
def target(tmp_path: Path, using: str) -> Iterator[str]:
    """A place that is not there yet, of the engine under test."""
    if connection.vendor == "sqlite":
        yield str(tmp_path / "elsewhere.sqlite3")
        return
    settings = connection.settings_dict
    name = f"{settings['NAME']}_elsewhere"
    with connect_to(using) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        yield f"postgres://{settings['USER']}:{settings['PASSWORD']}@{settings['HOST']}:{settings['PORT']}/{name}"
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def is_there(target: str, using: str) -> bool:
    if connection.vendor == "sqlite":
        return Path(target).exists()
    with connect_to(using) as server:
        name = target.rpartition("/")[2]
        return server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def open_again(target: str):
    """Give an alias of the database that is there now."""
    return alias_of(
        {**connections.settings["default"], "NAME": target.rpartition("/")[2] if "://" in target else target}
    )


def test_elsewhere_has_the_rows_and_records_and_the_live_one_is_as_it_was(
    using: str, folder: Path, target: str
) -> None:
    backup = create_backup(actor=None, reason="", using=using)
    then = live_contents(using, backup)
    Country.objects.using(using).all().delete()

    restore(backup, actor=None, into=target, using=using)

    with open_again(target) as alias:
        assert live_contents(alias, backup) == then
        Country.objects.using(alias).filter(iso_code="CH").update(name="Schweiz")
        assert find_drift(alias) == (3, [])
    assert not Country.objects.using(using).exists()
    assert len(list_backups()) == 1


@pytest.mark.skipif(connection.vendor == "sqlite", reason="files have no password")
def test_the_journal_has_no_password(using: str, folder: Path, target: str) -> None:
    backup = create_backup(actor=None, reason="", using=using)

    restore(backup, actor=None, into=target.replace(":@", ":secret@"), using=using)

    assert "secret" not in str(read_journal())
    assert ":***@" in read_journal()[0]["into"]


def test_nothing_is_restored_over_what_is_there(using: str, folder: Path, target: str) -> None:
    backup = create_backup(actor=None, reason="", using=using)
    restore(backup, actor=None, into=target, using=using)

    with pytest.raises(NotFresh, match=r"is there already, and nothing is overwritten|holds tables already"):
        restore(backup, actor=None, into=target, using=using)


def test_a_restore_that_fails_leaves_nothing_elsewhere(using: str, folder: Path, target: str) -> None:
    backup = create_backup(actor=None, reason="", using=using)

    with pytest.raises(NotTheSame):
        restore(amend(backup, row_counts={"base_country": 4}), actor=None, into=target, using=using)

    assert not is_there(target, using)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="it is the same on both")
@pytest.mark.parametrize(
    ("target", "failure", "sentence"),
    [
        ("mysql://somewhere/db", UnknownTarget, "mysql://somewhere/db is no place to restore into"),
        ("sqlite://", UnknownTarget, "is no place to restore into: name a file such as"),
        ("/no/such/folder/file.sqlite3", UnknownTarget, "There is no folder /no/such/folder: make it"),
    ],
)
def test_a_place_that_is_none(target: str, failure: type[BackupFailure], sentence: str) -> None:
    with pytest.raises(failure, match=re.escape(sentence)), elsewhere(target):
        pass


def test_another_engine_elsewhere_is_refused(using: str, folder: Path, tmp_path: Path) -> None:
    backup = create_backup(actor=None, reason="", using=using)
    other = "postgres://nobody@127.0.0.1:1/none" if backup.engine == "sqlite" else str(tmp_path / "file.sqlite3")

    with pytest.raises(OtherEngine, match="A backup of kind data moves between them"):
        restore(backup, actor=None, into=other, using=using)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's disk is not ours")
def test_a_full_disk_is_one_sentence_and_nothing_half_is_left(using: str, folder: Path, tmp_path: Path) -> None:
    backup = create_backup(actor=None, reason="", using=using)
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", small], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    try:
        with pytest.raises(DiskFull, match=f"There is no room to restore {backup.id}: nothing was restored"):
            restore(backup, actor=None, into=str(small / "elsewhere.sqlite3"), using=using)
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", small], check=True)


def test_chosen_tables_fill_a_fresh_database_that_records(using: str, folder: Path, target: str) -> None:
    chosen = create_backup(actor=None, reason="", tables=("base_country",), using=using)

    done = restore(chosen, actor=None, into=target, using=using).done

    with open_again(target) as alias:
        assert recording_problems(alias) == []
        assert Country.objects.using(alias).count() == Country.history.using(alias).count() == 3
        Country.objects.using(alias).create(iso_code="FR", name="France")
        assert find_drift(alias) == (4, [])
    assert (done.changeset, done.row_counts) == (1, {"base_country": 3})


@pytest.mark.skipif(connection.vendor != "sqlite", reason="it is the same on both")
def test_a_command_restores_elsewhere_without_asking(using: str, folder: Path, target: str, capsys) -> None:
    backup = create_backup(actor=None, reason="", using=using)

    call_command("backup", "restore", backup.id, "--into", target)

    assert f"Restored {backup.id} into" in capsys.readouterr().out
