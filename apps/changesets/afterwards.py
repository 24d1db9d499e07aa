"""Where other apps are told that a changeset is written: to count again, and the like."""

from collections.abc import Callable
from functools import partial

from django.db import transaction

from apps.changesets.models import Changeset

Listener = Callable[[Changeset], None]
_listeners: list[Listener] = []


def register_listener(listener: Listener) -> None:
    """Let `listener` be told of each changeset, once it is committed; what goes wrong in it is logged only."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell_when_committed(changeset: Changeset, *, using: str) -> None:
    """Tell the listeners of a changeset as soon as the open transaction is committed."""
    for listener in _listeners:
        transaction.on_commit(partial(listener, changeset), using=using, robust=True)
