"""Opening a changeset: everything written inside belongs to it, or nothing was written."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from apps.changesets.errors import ChangesetError
from apps.changesets.history.counts import count_changes
from apps.changesets.hooks import tell_when_committed
from apps.changesets.models import Actor, Changeset, Status
from apps.changesets.processes.locking import is_busy
from apps.changesets.processes.request_id import request_id
from apps.changesets.recording import close_mark, open_mark, require_recording
from apps.changesets.rights import refuse_beyond_rights


@dataclass(frozen=True)
class Source:
    """The file that a changeset came from: its name, SHA-256 of its bytes (hex), and size in bytes.

    The `title` says whose values it has, where they are not those of the registered upstream.
    """

    name: str
    sha256: str = ""
    size: int | None = None
    title: str = ""


# Who asked for what is done now, and their name, where somebody else confirmed it.
_asker: ContextVar[tuple[Actor, str]] = ContextVar("asker", default=(None, ""))
# The changeset that is open on each connection of each thread.
_open: WeakKeyDictionary[BaseDatabaseWrapper, Changeset] = WeakKeyDictionary()


@contextmanager
def changeset(
    *, kind: str, actor: Actor, reason: str = "", source: Source | None = None, using: str = "default"
) -> Iterator[Changeset]:
    """Open a transaction and a changeset in it; what is written inside is recorded under it.

    `actor` is a user, or None for a job. Inside another changeset this one joins it: the outer one is what comes back,
    and its kind, actor and reason stand. On leaving, the objects are counted; a changeset that changed nothing is
    taken back (its `pk` is None then), and one that wrote more than `within_rights` allows is refused. An exception
    leaves nothing behind but, where this call opened the outermost transaction, a changeset of status `failed` that
    carries the error. Raises RecordingNotInstalled when the database would not record the changes.
    """
    connection = connections[using]
    outer = _open.get(connection)
    if outer is not None:
        with transaction.atomic(using=using):
            yield outer
        return

    require_recording(using)
    outermost = not connection.in_atomic_block
    opened = _describe(kind=kind, actor=actor, reason=reason, source=source)
    try:
        with transaction.atomic(using=using):
            opened.save(using=using, force_insert=True)
            open_mark(connection, changeset_id=opened.pk, user_id=opened.actor_id, at=opened.created_at)
            _open[connection] = opened
            try:
                yield opened
            finally:
                del _open[connection]
            close_mark(connection)
            _close(opened, using)
            if opened.pk:
                tell_when_committed(opened, using=using)
    except ChangesetError:
        raise  # A refusal with its sentence: nothing was tried, so nothing failed.
    except (Exception, KeyboardInterrupt) as error:
        # Where somebody else writes for too long, nothing was tried, and noting it down would wait as long again.
        if outermost and not is_busy(error):
            _write_failed(opened, error, using)
        raise


@contextmanager
def asked_for_by(user: Actor, name: str) -> Iterator[None]:
    """Note on the changesets inside who asked for them, where the actor only confirmed it."""
    token = _asker.set((user, name))
    try:
        yield
    finally:
        _asker.reset(token)


def asker() -> tuple[Actor, str]:
    """Return who asked for what is done now, and their name: None and nothing where the actor did."""
    return _asker.get()


def _describe(*, kind: str, actor: Actor, reason: str, source: Source | None) -> Changeset:
    user = actor if actor is not None and actor.pk else None
    (asked_by, asked_by_name), now = _asker.get(), timezone.now()
    return Changeset(
        kind=kind,
        actor=user,
        actor_name=user.get_username() if user else "",
        asked_by=asked_by,
        asked_by_name=asked_by_name,
        reason=reason,
        source_name=source.name if source else "",
        source_sha256=source.sha256 if source else "",
        source_size=source.size if source else None,
        source_title=source.title[:200] if source else "",
        request_id=request_id.get(),
        # Never a whole second: SQLite's text form leaves a zero fraction out, which the triggers' dates do not.
        created_at=now.replace(microsecond=now.microsecond or 1),
    )


def _close(opened: Changeset, using: str) -> None:
    """Count what was recorded; delete the changeset if it changed nothing, refuse it if the person may not do that."""
    opened.counts, opened.field_counts = count_changes(opened.pk, using=using)
    refuse_beyond_rights(opened.counts)
    if not opened.counts:
        opened.delete(using=using)
        return
    opened.finished_at = timezone.now()
    opened.save(using=using)


def _write_failed(opened: Changeset, error: BaseException, using: str) -> None:
    opened.pk = None
    opened.status = Status.FAILED
    opened.error = f"{type(error).__name__}: {error}"
    opened.counts = {}
    opened.finished_at = timezone.now()
    opened.save(using=using, force_insert=True)
