"""No backup that is called good fails to restore to exactly its rows, whatever is damaged, killed or filled up."""

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from django.db import connection, connections

from apps.backups import creating
from apps.backups.aliases import alias_of
from apps.backups.catalogue.manifests import Backup, list_backups, manifest_of
from apps.backups.creating import create_backup
from apps.backups.errors import BackupFailure
from apps.backups.kinds import kinds
from apps.backups.restore.database import restore
from apps.backups.restore.verify import verify
from apps.base.models import Country
from tests.backups.opening import Contents, connect_to, live_contents

# Portable kinds are proved on SQLite: their files are the same, and a proof on PostgreSQL takes seconds.
PORTABLE = ("data", "incremental") if connection.vendor == "sqlite" else ()
KINDS = ["full", *(kind for kind in PORTABLE if kind in kinds())]
# To prove these takes seconds, since each scratch database is migrated: what they share with others is proved on those.
SLOW = ("data",) if connection.vendor == "sqlite" else ("full",)


def make(kind: str, using: str) -> tuple[Backup, Contents]:
    """Make a backup of a kind, and return it with what it must hold."""
    if kind == "incremental":
        create_backup(actor=None, reason="", using=using)
        Country.objects.using(using).filter(iso_code="CH").update(name="Schweiz")
    made = create_backup(actor=None, reason="", kind=kind, using=using)
    return made, live_contents(using, made)


def is_good(backup: Backup, using: str) -> bool:
    """Return whether `verify` calls a backup good."""
    try:
        verify(backup, using=using)
    except BackupFailure:
        return False
    return True


def restores_to(backup: Backup, using: str) -> Contents:
    """Return what is in a fresh database after the backup was restored into it."""
    with fresh(using) as (into, read):
        restore(backup, actor=None, using=using, into=into)
        return read(backup)


@contextmanager
def fresh(using: str) -> Iterator[tuple[str, Callable[[Backup], Contents]]]:
    """Give the address of a database that is not there yet, and a function that reads it."""
    settings = connections[using].settings_dict
    if connections[using].vendor == "sqlite":
        name = into = str(Path(settings["NAME"]).with_name("fresh.sqlite3"))
    else:
        name = f"{settings['NAME']}_promised"
        into = f"postgres://{settings['USER']}:{settings['PASSWORD']}@{settings['HOST']}:{settings['PORT']}/{name}"
    with alias_of({**settings, "NAME": name}) as alias:
        yield into, lambda backup: live_contents(alias, backup)
    if connections[using].vendor == "sqlite":
        Path(name).unlink()
    else:
        with connect_to(using) as server:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


# -- damaged -----------------------------------------------------------------------------------------------------


def flip(data: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :]


def cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def overwrite(data: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(max(len(data) - 512, 1))
    return data[:place] + chance.randbytes(512) + data[place + 512 :]


def lengthen(data: bytes, chance: random.Random) -> bytes:
    return data + chance.randbytes(chance.randrange(1, 5000))


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_backup_is_not_called_good_and_a_whole_one_restores_exactly(kind: str, using: str, folder: Path):
    made, then = make(kind, using)
    whole, chance = made.file.read_bytes(), random.Random(kind)

    for damage in (flip, cut, overwrite, lengthen) * 5:
        made.file.write_bytes(damage(whole, chance))
        assert not is_good(made, using), damage.__name__

    made.file.write_bytes(whole)
    assert is_good(made, using)
    assert restores_to(made, using) == then


@pytest.mark.skipif("incremental" not in KINDS, reason="proved on SQLite")
def test_an_increment_is_not_called_good_when_what_it_goes_on_from_is_damaged(using: str, folder: Path):
    made, _ = make("incremental", using)
    base = next(backup for backup in list_backups() if backup.id == made.base)

    base.file.write_bytes(flip(base.file.read_bytes(), random.Random(1)))

    assert not is_good(made, using)


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_manifest_makes_no_other_backup_of_it(kind: str, using: str, folder: Path):
    made, then = make(kind, using)
    manifest, chance = manifest_of(made), random.Random(kind)
    whole = manifest.read_text()
    good = 0
    tries = 2 if kind in SLOW else 15

    for _ in range(tries):
        # A digit is another one, wherever it stands: in a count, a hash, a name, a date.
        place = chance.choice([place for place, sign in enumerate(whole) if sign.isdigit()])
        manifest.write_text(f"{whole[:place]}{(int(whole[place]) + chance.randrange(1, 10)) % 10}{whole[place + 1 :]}")
        for backup in list_backups():
            if backup.kind == kind and is_good(backup, using):
                good += 1
                assert kind in SLOW or good > 1 or restores_to(backup, using) == then

    assert kind in SLOW or good < tries


# -- killed ------------------------------------------------------------------------------------------------------


def in_a_child(act: Callable[[], object], using: str, *, kill_at: int | None = None) -> int:
    """Do something in a child process, which is killed at one of its steps, and return how many steps it took.

    A step is a program that is started, a database that is opened, a file that is opened to be written, renamed or
    removed: what happens between two of them is up to SQLite and PostgreSQL.
    """
    # The child must not have our connections to the server.
    connections[using].close()
    if connections[using].vendor == "postgresql":
        connections[using].close_pool()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _count_steps(writer, kill_at)
        try:
            act()
        except BaseException:
            os._exit(1)
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as stream:
        steps = len(stream.read())
    _, status = os.waitpid(child, 0)
    assert (os.WIFSIGNALED(status) and steps == kill_at) or status == 0
    return steps


def _count_steps(writer: int, kill_at: int | None) -> None:
    steps = 0

    def count(event: str, arguments: tuple) -> None:
        nonlocal steps
        written = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if written or event in ("os.rename", "os.remove", "sqlite3.connect", "subprocess.Popen"):
            steps += 1
            os.write(writer, b".")
            if steps == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_that_is_killed_at_any_step_is_not_there_or_is_good(kind: str, using: str, folder: Path):
    _, then = make(kind, using)

    def act() -> Backup:
        return create_backup(actor=None, reason="", kind=kind, using=using)

    steps = in_a_child(act, using)
    assert steps > 4
    for step in range(1, steps + 1):
        in_a_child(act, using, kill_at=step)

    made = [backup for backup in list_backups() if backup.kind == kind]
    assert len(made) >= 2
    assert all(is_good(backup, using) for backup in made[:-1])
    assert kind in SLOW or restores_to(made[0], using) == then


def test_a_restore_that_is_killed_at_some_step_leaves_what_was_there_or_what_was_backed_up(using: str, folder: Path):
    made, then = make("full", using)
    Country.objects.using(using).filter(iso_code="CH").update(name="Schweiz")
    before = live_contents(using, made)

    def act() -> object:
        return restore(made, actor=None, using=using)

    copy = create_backup(actor=None, reason="", using=using)
    steps = in_a_child(act, using)
    assert live_contents(using, made) == then
    restore(copy, actor=None, using=using)
    for step in [*random.Random(6).sample(range(2, steps), 3), steps]:
        in_a_child(act, using, kill_at=step)
        assert live_contents(using, made) in (before, then)


# -- filled up ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_on_a_disk_that_fills_up_there_is_no_backup_or_a_good_one(
    kind: str, using: str, folder: Path, settings, monkeypatch
):
    _, then = make(kind, using)
    size = sum(file.stat().st_size for file in folder.iterdir())
    # As if somebody else filled it up after the backup began.
    monkeypatch.setattr(creating.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 0, 10**12))
    good = []

    for number, part in enumerate((0.3, 3) if kind in SLOW else (0.3, 0.9, 3)):
        settings.BACKUP_DIR = folder.with_name(f"disk-{number}")
        with small_disk(settings.BACKUP_DIR, int(size * part)):
            with suppress(BackupFailure):
                make(kind, using)
            kept = shutil.copytree(settings.BACKUP_DIR, folder.with_name(f"kept-{number}"))
        settings.BACKUP_DIR = kept
        good += [(kept, backup) for backup in list_backups() if backup.kind == kind]
        assert all(is_good(backup, using) for backup in list_backups())

    assert 0 < len(good) < 3
    settings.BACKUP_DIR, last = good[-1]
    assert kind in SLOW or restores_to(last, using) == then


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    """Put a disk with this room into a new folder."""
    folder.mkdir(mode=0o700)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", folder]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)
