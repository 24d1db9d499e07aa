"""The catalogue lists what is complete, passes over the rest with a sentence, and prunes only what was automatic."""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from apps.backups.catalogue import pruning
from apps.backups.catalogue.folder import ABANDONED_SECONDS, reserve
from apps.backups.catalogue.manifests import (
    Backup,
    amend,
    list_backups,
    manifest_of,
    newest_backup,
    read_catalogue,
    write_manifest,
)
from apps.backups.catalogue.pruning import prune, prune_automatic
from apps.backups.errors import FolderNotWritable
from apps.changesets.identity import identity_of

NOW = datetime.now(tz=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def made_folder(folder: Path, db: None) -> Path:
    folder.mkdir(mode=0o700)
    return folder


def put(*, days_old: float, kind: str = "before-import") -> Backup:
    """Put a backup into the folder that was made so long ago."""
    at = NOW - timedelta(days=days_old)
    name = f"{at:%Y%m%d-%H%M%S}-{kind}"
    about = {"actor": "", "reason": "", "engine": "sqlite", "server_version": "3.40.1"}
    state = {"migrations": ("base.0001_initial",), "newest_changeset": 7, "row_counts": {"base_country": 3}}
    state["database"] = identity_of()
    file = {"size_bytes": 4, "sha256": "0" * 64, "path": f"{name}.sqlite3"}
    made = Backup(id=name, kind=kind, created_at=at, **about, **state, **file)
    made.file.write_bytes(b"copy")
    write_manifest(made)
    return made


def test_an_empty_folder_and_one_that_is_not_there_hold_no_backups(folder: Path) -> None:
    assert (list_backups(), newest_backup()) == ([], None)

    folder.rmdir()

    assert (list_backups(), newest_backup()) == ([], None)


def test_the_newest_comes_first_and_is_what_was_written() -> None:
    old, newest, middle = put(days_old=9), put(days_old=1, kind="full"), put(days_old=5)

    assert list_backups() == [newest, middle, old]
    assert newest_backup() == newest
    assert newest.rows == 3


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"id": "x"}', '"\\ud800"', "\x00", "[" * 100_000])
def test_a_manifest_that_cannot_be_read_is_told_and_the_others_stay(text: str, folder: Path, caplog) -> None:
    good = put(days_old=1)
    (folder / "20260101-000000-full.json").write_text(text)

    with caplog.at_level(logging.WARNING):
        assert list_backups() == [good]

    assert "The manifest 20260101-000000-full.json cannot be read" in caplog.text
    assert len(read_catalogue().complaints) == 1


@pytest.mark.parametrize(
    "odd",
    [
        {"row_counts": []},
        {"row_counts": {"base_country": "three"}},
        {"size_bytes": "4"},
        {"kind": 3},
        {"path": None},
        {"tables": "base_country"},
        {"contents": []},
        {"created_at": "2026-01-01T00:00:00"},
        {"newest_changeset": True},
    ],
    ids=str,
)
def test_a_manifest_with_an_odd_value_is_told_and_breaks_neither_the_list_nor_pruning(odd: dict) -> None:
    good, altered = put(days_old=1), put(days_old=2)
    told = json.loads(manifest_of(altered).read_text())
    manifest_of(altered).write_text(json.dumps({**told, **odd}))

    catalogue = read_catalogue()

    assert catalogue.backups == [good]
    assert "cannot be read" in catalogue.complaints[0]
    assert prune() == []


@pytest.mark.parametrize("path", ["../outside.sqlite3", "/etc/passwd", "other.sqlite3"])
def test_a_manifest_that_speaks_of_another_file_is_not_believed(path: str, folder: Path) -> None:
    (folder.parent / "outside.sqlite3").touch()
    (folder / "other.sqlite3").touch()
    altered = put(days_old=1)
    manifest = manifest_of(altered)
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "path": path}))

    catalogue = read_catalogue()

    assert catalogue.backups == []
    assert f"speaks of {path!r}, which is not the backup beside it" in catalogue.complaints[0]


def test_a_manifest_under_another_name_is_not_believed(folder: Path) -> None:
    made = put(days_old=1)
    (folder / f"{made.id}-again.json").write_text(manifest_of(made).read_text())

    catalogue = read_catalogue()

    assert catalogue.backups == [made]
    assert f"The manifest {made.id}-again.json speaks of" in catalogue.complaints[0]


def test_a_manifest_without_its_file_is_told() -> None:
    put(days_old=1).file.unlink()

    catalogue = read_catalogue()

    assert catalogue.backups == []
    assert "is gone and only its manifest is left" in catalogue.complaints[0]


def test_a_manifest_of_an_earlier_version_is_as_good_as_before() -> None:
    known = put(days_old=1)
    manifest = manifest_of(known)
    later = ("label", "base", "since_changeset", "tables", "contents", "verified_at", "verified", "expires_at")
    told = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({name: told[name] for name in told if name not in later}))

    assert list_backups() == [known]


def test_an_amended_manifest_tells_the_rest_as_before() -> None:
    known, now = put(days_old=1), datetime.now(tz=UTC)

    amended = amend(known, verified_at=now, verified="3 tables")

    assert list_backups() == [amended] == [replace(known, verified_at=now, verified="3 tables")]


def test_what_somebody_else_wrote_into_a_manifest_meanwhile_stays_and_what_was_removed_stays_so() -> None:
    known, now = put(days_old=1), datetime.now(tz=UTC)
    amend(known, verified_at=now, verified="3 tables")

    sent = amend(known, offsite="a copy")
    manifest_of(known).unlink()
    amend(sent, verified="too late")

    assert (sent.verified_at, sent.offsite) == (now, "a copy")
    assert not manifest_of(known).exists()


def test_what_a_later_version_adds_to_a_manifest_is_passed_over() -> None:
    known = put(days_old=1)
    manifest = manifest_of(known)
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "weather": "fine"}))

    assert list_backups() == [known]


def test_pruning_the_automatic_ones_leaves_those_of_people_alone(folder: Path) -> None:
    by_hand = [put(days_old=days, kind="full") for days in (900, 901)]
    old, *young = [put(days_old=days) for days in (9, 8, 7, 0.5)]

    assert prune_automatic() == [old]

    assert list_backups() == [*reversed(young), *by_hand]
    assert not [path for path in folder.iterdir() if path.name.startswith(old.id)]


def test_a_dry_run_names_what_would_go_and_removes_nothing() -> None:
    old, *young = [put(days_old=days) for days in (9, 8, 7, 6)]

    assert prune(dry_run=True) == [old]
    assert list_backups() == [*reversed(young), old]

    assert prune() == [old]
    assert list_backups() == [*reversed(young)]


def test_pruning_that_is_cut_off_leaves_no_manifest_without_its_file(folder: Path, monkeypatch) -> None:
    old, *others = [put(days_old=days) for days in (9, 4, 3, 2)]
    removed = []

    def cut_off(path: Path) -> None:
        if removed:
            raise OSError(30, "Read-only file system")
        removed.append(path)
        path.unlink()

    monkeypatch.setattr(pruning, "remove", cut_off)
    with pytest.raises(FolderNotWritable, match="read-only file system"):
        prune_automatic()

    assert removed == [manifest_of(old)]
    assert read_catalogue().complaints == []
    assert list_backups() == [*reversed(others)]


KILLED = (
    "import django, os, pathlib, signal; django.setup();"
    "from django.conf import settings; from apps.backups.catalogue.folder import reserve;"
    "place = reserve(pathlib.Path(settings.BACKUP_DIR), 'full').__enter__();"
    "place.partial.write_bytes(b'half'); os.kill(os.getpid(), signal.SIGKILL)"
)


def test_what_a_killed_backup_left_is_no_backup_and_goes_with_the_next_one(folder: Path) -> None:
    environment = {**os.environ, "BACKUP_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    assert subprocess.run([sys.executable, "-c", KILLED], env=environment).returncode == -signal.SIGKILL
    (half,) = folder.iterdir()
    assert list_backups() == []

    with reserve(folder, "full"):
        assert half.exists(), "one that has only just begun is left alone"
    long_ago = time.time() - ABANDONED_SECONDS - 1
    os.utime(half, (long_ago, long_ago))
    with reserve(folder, "full") as place:
        assert list(folder.iterdir()) == [place.partial]


def test_what_somebody_still_writes_is_never_swept_away(folder: Path) -> None:
    with reserve(folder, "full") as slow:
        long_ago = time.time() - ABANDONED_SECONDS - 1
        os.utime(slow.partial, (long_ago, long_ago))

        with reserve(folder, "full") as other:
            assert other.id != slow.id
            assert slow.partial.exists()


def test_a_backup_is_a_value() -> None:
    made = put(days_old=1)

    assert replace(made, reason="x") != made
    with pytest.raises(AttributeError):
        made.reason = "x"
