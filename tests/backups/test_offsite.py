"""Copies elsewhere: sent with their manifest last, encrypted where that is asked for, fetched, pruned."""

import json
import logging
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.management import call_command
from django.utils import timezone

from apps.backups.catalogue.folder import backup_folder, sha256_of
from apps.backups.catalogue.manifests import Backup, amend, list_backups, manifest_of, newest_backup, newest_verified
from apps.backups.catalogue.offsite import fetch, list_offsite, newest_verified_elsewhere, send_missing, try_to_send
from apps.backups.catalogue.pruning import prune
from apps.backups.creating import create_backup
from apps.backups.errors import BackupAltered, NotDecrypted, NotEncrypted, ProgramMissing, UnknownBackup
from apps.backups.kinds import BEFORE_IMPORT
from apps.backups.restore.opening import find_backup
from apps.backups.restore.verify import verify
from tests.backups.opening import contents_elsewhere, live_contents
from tests.backups.test_catalogue import put as put_small

KEY = "backups@example.com"


class Down(FileSystemStorage):
    """A storage that cannot be reached."""

    def save(self, *args: object, **kwargs: object) -> str:
        raise ConnectionError("no route to the bucket")

    def listdir(self, path: str) -> tuple:
        raise ConnectionError("no route to the bucket")


@pytest.fixture
def elsewhere(folder: Path, tmp_path: Path, settings, db: None) -> Path:
    """The folder of the storage elsewhere."""
    place(settings, "django.core.files.storage.FileSystemStorage", location=str(tmp_path / "elsewhere"))
    return tmp_path / "elsewhere"


def put(kind: str = "full", *, days_old: float = 0, sent: bool = True) -> Backup:
    """Put a small backup into the folder, and send it elsewhere."""
    backup_folder().mkdir(exist_ok=True)
    made = put_small(kind=kind, days_old=days_old)
    made = amend(made, sha256=sha256_of(made.file))
    return {backup.id: backup for backup in send_missing()}[made.id] if sent else made


def place(settings, backend: str, **options: object) -> None:
    settings.STORAGES = {**settings.STORAGES, "backups": {"BACKEND": backend, "OPTIONS": options}}


@pytest.fixture(scope="module")
def keyring() -> Iterator[Path]:
    """A keyring with a throw-away key; its path is short, since gpg-agent's socket is in it."""
    if shutil.which("gpg") is None:
        pytest.skip("no gpg here: install Debian's package gnupg")
    home = Path(tempfile.mkdtemp(prefix="gpg-"))
    make = ["gpg", "--homedir", str(home), "--batch", "--passphrase", "", "--quick-gen-key", KEY, "default", "default"]
    subprocess.run(make, check=True, capture_output=True)
    yield home
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], check=True)
    shutil.rmtree(home, ignore_errors=True)


def test_without_a_storage_elsewhere_a_backup_has_no_copy(folder: Path, using: str) -> None:
    made = create_backup(actor=None, reason="", using=using)

    assert (made.offsite, send_missing(), list_offsite().backups) == ("", [], [])


def test_a_copy_goes_elsewhere_and_is_the_same_when_it_comes_back(elsewhere: Path, using: str, tmp_path: Path) -> None:
    made = create_backup(actor=None, reason="", using=using)
    assert sorted(file.name for file in elsewhere.iterdir()) == sorted([made.path, manifest_of(made).name])
    for file in (made.file, manifest_of(made)):
        file.unlink()

    assert list_offsite().backups == [made]
    back = fetch(made.id)

    assert list_backups() == [back] == [made]
    assert back.file.stat().st_mode & 0o777 == 0o600
    assert contents_elsewhere(back, tmp_path / "scratch") == live_contents(using, back)


def test_a_backup_that_is_only_elsewhere_is_listed_and_found(elsewhere: Path, capsys) -> None:
    made = put()
    for file in (made.file, manifest_of(made)):
        file.unlink()

    call_command("backup", "list", "--json")

    assert [(told["id"], told["offsite"]) for told in json.loads(capsys.readouterr().out)] == [(made.id, made.path)]
    assert find_backup(made.id).file.is_file()


def test_what_one_machine_proved_another_one_with_a_folder_of_its_own_knows(
    elsewhere: Path, using: str, settings, tmp_path: Path
) -> None:
    made = create_backup(actor=None, reason="", using=using)
    assert newest_verified_elsewhere(using) is None
    proved = verify(made, using=using)

    settings.BACKUP_DIR = tmp_path / "another-machine"

    assert newest_verified(using) is None
    assert newest_verified_elsewhere(using) == proved


def test_a_copy_never_replaces_the_backup_itself(folder: Path, using: str, settings, caplog) -> None:
    place(settings, "django.core.files.storage.FileSystemStorage", location=str(folder))

    made = create_backup(actor=None, reason="", using=using)

    assert sha256_of(made.file) == made.sha256
    assert "is the folder of the backups itself: name one elsewhere" in caplog.text


def test_what_was_made_automatically_stays_here(elsewhere: Path) -> None:
    put(BEFORE_IMPORT, sent=False)

    assert (send_missing(), list_offsite().backups) == ([], [])


def test_a_storage_that_is_down_stops_no_backup_and_gets_its_copy_later(elsewhere: Path, settings, caplog) -> None:
    there = settings.STORAGES
    place(settings, f"{__name__}.Down")
    with caplog.at_level(logging.ERROR):
        early = try_to_send(put(sent=False, days_old=0.01))
    assert (early.offsite, newest_backup()) == ("", early)
    assert "cannot be reached (no route to the bucket)" in caplog.text

    settings.STORAGES = there
    late = try_to_send(put(sent=False))

    assert late.offsite == late.path
    assert [backup.id for backup in list_offsite().backups] == [late.id, early.id]


def test_a_copy_that_was_altered_does_not_come_back(elsewhere: Path, folder: Path) -> None:
    made = put()
    for file in (made.file, manifest_of(made)):
        file.unlink()
    with (elsewhere / made.offsite).open("r+b") as copy:
        copy.truncate(2)

    with pytest.raises(BackupAltered, match="altered, or cut off"):
        fetch(made.id)

    assert list_backups() == list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["20200101-000000-full", "../manage", ""])
def test_what_is_not_elsewhere_is_said(elsewhere: Path, name: str) -> None:
    elsewhere.mkdir()

    with pytest.raises(UnknownBackup, match="here or elsewhere"):
        fetch(name)


def test_a_manifest_elsewhere_that_names_another_file_is_told(elsewhere: Path) -> None:
    made = put()
    manifest = elsewhere / manifest_of(made).name
    manifest.write_text(manifest.read_text().replace(f'"path": "{made.path}"', '"path": "../passwords"'))

    assert list_offsite().backups == []
    assert "somebody has altered it" in list_offsite().complaints[0]


def test_pruning_removes_the_copy_too_also_where_only_that_is_left(elsewhere: Path) -> None:
    # Of one day, which midnight parts only in these four seconds: of another day, the newest one would be kept.
    gone, here, newest = put(days_old=4e-5), put(days_old=2e-5), put()
    for file in (gone.file, manifest_of(gone)):
        file.unlink()

    ended = prune(now=timezone.now() + timedelta(days=2))

    assert {backup.id for backup in ended} == {gone.id, here.id}
    assert list_backups() == list_offsite().backups == [newest]


def test_an_encrypted_copy_is_readable_only_with_the_key(
    elsewhere: Path, keyring: Path, settings, tmp_path: Path
) -> None:
    settings.BACKUPS_GPG_HOME, settings.BACKUPS_ENCRYPT_TO = keyring, [KEY]
    made = put()
    sent = (elsewhere / made.offsite).read_bytes()
    assert made.offsite == f"{made.path}.gpg"
    assert b"copy" not in sent
    for file in (made.file, manifest_of(made)):
        file.unlink()

    settings.BACKUPS_GPG_HOME = tmp_path / "nobody"
    settings.BACKUPS_GPG_HOME.mkdir(mode=0o700)
    with pytest.raises(NotDecrypted, match="takes the secret key"):
        fetch(made.id)
    settings.BACKUPS_GPG_HOME = keyring

    assert sha256_of(fetch(made.id).file) == made.sha256


def test_without_the_key_nothing_leaves_in_the_clear(elsewhere: Path, keyring: Path, settings) -> None:
    settings.BACKUPS_GPG_HOME, settings.BACKUPS_ENCRYPT_TO = keyring, ["nobody@example.com"]
    put(sent=False)

    with pytest.raises(NotEncrypted, match=r"has no key of nobody@example\.com: import it"):
        send_missing()

    assert not list(elsewhere.glob("*"))


def test_without_gpg_the_sentence_says_what_to_install(elsewhere: Path, settings, monkeypatch) -> None:
    put(sent=False)
    settings.BACKUPS_ENCRYPT_TO = [KEY]
    monkeypatch.setenv("PATH", str(elsewhere))

    with pytest.raises(ProgramMissing, match="Debian the package gnupg"):
        send_missing()

    assert not elsewhere.exists()
