"""Making, verifying and restoring for the admin: at once when it is quick, else in a process of its own.

Progress and result are in the cache that all processes share. A restore replaces every table, those of sessions and of
tasks included, so no session could hold them and no worker could finish its task.
"""

import secrets
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User

from apps.backups.catalogue.folder import open_folder
from apps.backups.catalogue.manifests import Backup
from apps.backups.creating import create_backup
from apps.backups.drivers import size_of
from apps.backups.errors import BackupFailure, WorkRefused
from apps.backups.kinds import FULL
from apps.backups.restore.database import restore
from apps.backups.restore.jobs import Progress
from apps.backups.restore.opening import find_backup
from apps.backups.restore.point_in_time import in_words, read_upto
from apps.backups.restore.verify import verify
from apps.changesets.errors import ChangesetError
from apps.changesets.models import Actor
from apps.changesets.processes.holding import hold_file, is_file_held, release_file
from apps.changesets.processes.progress import beating, board, entry, where_the_board_can_be_used

CREATE, VERIFY, RESTORE = "create", "verify", "restore"
WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
# The file that whoever does something has locked; its process gives it free by ending. Machines with other folders do
# not see that, and go by a sign of life.
_TURN = ".turn"
_BEAT_SECONDS, _SILENT_SECONDS = 5, 30
_APART = "import sys, django; django.setup(); from apps.backups.work import carry_out; carry_out(sys.argv[1])"


@dataclass(frozen=True)
class Work:
    """A backup, verification or restore that a person started; `backup` is its subject or its result."""

    id: str
    verb: str
    actor_id: int
    actor: str
    begun: float
    backup: str = ""
    kind: str = FULL
    label: str = ""
    reason: str = ""
    # Of a restore: the changeset or time to stop at, as it was typed, or the only tables.
    upto: str = ""
    tables: tuple[str, ...] = ()
    state: str = WAITING
    words: str = "Starting"
    # The result in one sentence; the backup made before a restore; the changeset of a restore of tables.
    outcome: str = ""
    safety: str = ""
    changeset: int | None = None
    # The machine and the folder of the process that does it.
    host: str = ""

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.state in (DONE, FAILED)


def begin(verb: str, *, actor: User, **about: Any) -> Work:
    """Start a piece of work, finish it at once where the database is small, and return its state.

    Raises WorkRefused while another one is running, and BoardUnavailable, with nothing begun.
    """
    # Also an increment of few bytes is restored together with what is under it.
    size = size_of("default")
    work = Work(secrets.token_hex(8), verb, actor.pk, actor.get_username(), time.time(), host=_here(), **about)
    board().set(entry("backups", work.id), asdict(work))
    turn = _take_turn(work)
    try:
        board().set(entry("backups", "turn"), work.id, timeout=None)
        if size <= settings.BACKUPS_AT_ONCE_BYTES:
            return carry_out(work.id)
        _start_apart(work, turn)
    finally:
        release_file(turn)
    return work


def work_of(key: str) -> Work | None:
    """Return the state of a piece of work, or None when there is none of this name."""
    values = board().get(entry("backups", key))
    if not values:
        return None
    work = Work(**values)
    if not work.is_over and not (_has_turn(work) and _lives(work)):
        outcome = "The process stopped unexpectedly. What it had not finished is lost: start it again."
        return replace(work, state=FAILED, outcome=outcome)
    return work


def work_going_on() -> Work | None:
    """Return the work that is running now, or None, also where nobody can be asked."""
    with where_the_board_can_be_used("Whether a backup is being made or restored is not known."):
        work = work_of(board().get(entry("backups", "turn"), ""))
        return None if work is None or work.is_over else work
    return None


def carry_out(key: str) -> Work:
    """Do a piece of work, and save and return how it ended, also when it fails.

    Raises WorkRefused when the cache does not know it.
    """
    requested = work_of(key)
    if requested is None:
        raise WorkRefused("The request is no longer known, so nothing was done: start it again.")
    with beating(lambda: _beat(requested), every=_BEAT_SECONDS, name=f"backup-{key}"):
        work = _save(replace(requested, state=RUNNING))
        try:
            actor = User.objects.filter(pk=work.actor_id).first()
            work = _do(work, actor)
        except (BackupFailure, ChangesetError) as failure:
            return _save(replace(work, state=FAILED, outcome=str(failure)))
        except BaseException as error:
            _save(replace(work, state=FAILED, outcome=f"{type(error).__name__}: {error}"))
            raise
        return _save(replace(work, state=DONE))


def _do(work: Work, actor: Actor) -> Work:
    def progress(step: str) -> None:
        _save(replace(work, state=RUNNING, words=step[:1].upper() + step[1:]))

    if work.verb == CREATE:
        progress("copying the database")
        made = create_backup(actor=actor, reason=work.reason, kind=work.kind, label=work.label)
        return replace(work, backup=made.id, outcome=f"{made.rows:,} rows are backed up.")
    backup = find_backup(work.backup)
    if work.verb == VERIFY:
        return replace(work, outcome=verify(backup, progress=progress).verified)
    return _restore(work, backup, actor, progress)


def _restore(work: Work, backup: Backup, actor: Actor, progress: Progress) -> Work:
    if actor is None:
        raise WorkRefused("Who asked for this restore is no user any more: nothing was restored.")
    upto = read_upto(work.upto) if work.upto else None
    restored = restore(backup, actor=actor, reason=work.reason, tables=work.tables, upto=upto, progress=progress)
    done, where = restored.done, f"in {', '.join(work.tables)}" if work.tables else "there"
    outcome = f"{restored.rows:,} rows are {where}, as in {restored.backup.id}"
    outcome += f", up to {in_words(upto)}." if upto is not None else "."
    if done.drift:
        outcome += f" {done.drift:,} objects differ from their history, as they did when it was made."
    return replace(work, outcome=outcome, safety=done.safety.id if done.safety else "", changeset=done.changeset)


def _start_apart(work: Work, turn: int) -> None:
    command = [sys.executable, "-c", _APART, work.id]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter, and a name that we made
        command,
        cwd=settings.BASE_DIR,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=[turn],
    )
    # Without waiting, it would stay in the process table until this process ends.
    threading.Thread(target=process.wait, name=f"backup-{work.id}", daemon=True).start()


def _take_turn(work: Work) -> int:
    """Lock the file, and leave a sign for machines with other folders; raises WorkRefused where either is taken."""
    turn = hold_file(open_folder() / _TURN)
    if turn is not None and _is_first(work):
        return turn
    if turn is not None:
        release_file(turn)
    running = work_going_on()
    if running is None:
        raise WorkRefused("Something else was started just now: wait until it is finished.")
    raise WorkRefused(f"{running.actor} started something else ({running.verb}): wait until it is finished.")


def _is_first(work: Work) -> bool:
    """Leave a sign of life unless another machine did; one of work that ended, or died in this folder, is replaced."""
    sign = entry("backups", "beat")
    if board().add(sign, work.id, _SILENT_SECONDS):
        return True
    values = board().get(entry("backups", board().get(sign, "")))
    if values and values["host"] != work.host and not Work(**values).is_over:
        return False
    _beat(work)
    return True


def _has_turn(work: Work) -> bool:
    return board().get(entry("backups", "turn")) == work.id


def _here() -> str:
    return f"{socket.gethostname()}:{open_folder()}"


def _lives(work: Work) -> bool:
    """Whether its process lives: the file of its folder tells at once, a sign of life elsewhere after a while."""
    if work.host == _here():
        return is_file_held(open_folder() / _TURN)
    return board().get(entry("backups", "beat")) == work.id


def _beat(work: Work) -> None:
    with where_the_board_can_be_used("Other machines do not see that a backup is being made or restored."):
        board().set(entry("backups", "beat"), work.id, _SILENT_SECONDS)


def _save(work: Work) -> Work:
    with where_the_board_can_be_used("How far a backup or restore is, is not told."):
        board().set(entry("backups", work.id), asdict(work))
    return work
