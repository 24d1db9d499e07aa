"""Hooks for other apps: what runs before an act, who listens to changesets, and remarks on their pages."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar, cast

from django.db import connections, transaction
from django.http import HttpRequest
from django.utils.module_loading import import_string

from apps.changesets.models import Actor, Changeset

T = TypeVar("T")


@dataclass(frozen=True)
class _Later:
    path: str


class Hook(Generic[T]):
    """A place to add things to, in the order in which they are added; the same thing is there once.

    What is about one model, or one kind of file, is added and asked for under its name.
    """

    def __init__(self) -> None:
        self._added: dict[str, list[T | _Later]] = {}

    def add(self, *things: T, to: str = "") -> None:
        """Add things under the name `to`, or under none."""
        added = self._added.setdefault(to, [])
        added += [thing for thing in things if thing not in added]

    def later(self, path: str, to: str = "") -> None:
        """Add what stands under a dotted path; its module is imported when the hook is first asked."""
        self._added.setdefault(to, []).append(_Later(path))

    def of(self, name: str = "") -> tuple[T, ...]:
        """Return what was added under this name."""
        added = self._added.get(name, [])
        for place, thing in enumerate(added):
            if isinstance(thing, _Later):
                added[place] = import_string(thing.path)
        return tuple(cast("list[T]", added))


@dataclass(frozen=True)
class Coming:
    """An act that is about to begin: the kind of its changeset, who does it (None for a job), and the act in words.

    One that is `required` has what comes first done whatever the settings say. `objects` is how many it changes, where
    that is known.
    """

    kind: str
    actor: Actor
    act: str
    using: str = "default"
    required: bool = False
    objects: int | None = None


# Called before an act that may write or delete many rows, outside of any transaction: a backup above all. A
# ChangesetError that it raises stops the act. It returns what the thing that was done is called, such as a backup.
PREPARATIONS: Hook[Callable[[Coming], str | None]] = Hook()
# Message of each changeset, once it is committed; what goes wrong in a listener is logged only.
LISTENERS: Hook[Callable[[Changeset], None]] = Hook()
# Who is writing whole tables just now, for those who wait: "an import by stan since 14:02, 61 %", or nothing.
WRITERS: Hook[Callable[[], str]] = Hook()
# What other apps have to say of a changeset on its page: safe HTML, or nothing.
REMARKS: Hook[Callable[[Changeset], str]] = Hook()

# Where a person goes first who asks for a page that can destroy most, such as to show a second factor; or nothing.
PROOFS: Hook[Callable[[HttpRequest], str]] = Hook()

# Called after work that nobody watches: a worker's, and scheduled commands. Whoever is to hear of it is told from here.
UNATTENDED: Hook[Callable[[], None]] = Hook()
logger = logging.getLogger(__name__)


def may_prepare(using: str) -> bool:
    """Whether something can be done before an act: not inside a transaction.

    Whoever opened it can still take all of it back, and on SQLite a backup would not see, or would wait for, what is
    written in it.
    """
    return bool(PREPARATIONS.of()) and not connections[using].in_atomic_block


def prepare(coming: Coming) -> list[str]:
    """Run what other apps added before an act, if it may run or the act requires it; return what it made."""
    if not coming.required and not may_prepare(coming.using):
        return []
    return [name for preparation in PREPARATIONS.of() if (name := preparation(coming))]


def tell_when_committed(changeset: Changeset, *, using: str) -> None:
    """Tell the listeners of a changeset as soon as the open transaction is committed."""
    for listener in LISTENERS.of():
        transaction.on_commit(partial(listener, changeset), using=using, robust=True)


def after_unattended_work() -> None:
    """Let other apps look at how things are; what goes wrong in that is logged only."""
    for look in UNATTENDED.of():
        try:
            look()
        except Exception:
            logger.exception("A look at how things are did not work")


def remarks_on(changeset: Changeset) -> list[str]:
    """Return what the other apps have to say of a changeset, as safe HTML."""
    return [remark for say in REMARKS.of() if (remark := say(changeset))]
