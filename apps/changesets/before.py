"""What is done before an act that may write or delete many rows: others register it here, a backup above all."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connections


@dataclass(frozen=True)
class Coming:
    """An act that is about to begin: the kind of its changeset, who does it (None for a job), and what in words.

    One that is `required` has what comes first done whatever the settings say.
    """

    kind: str
    actor: Any
    what: str
    using: str = "default"
    required: bool = False


# Returns what the thing that was done is called, such as a backup.
Preparation = Callable[[Coming], str | None]
_preparations: list[Preparation] = []


def register_preparation(preparation: Preparation) -> None:
    """Have this called before such acts, outside of any transaction; a ChangesetError that it raises stops the act."""
    if preparation not in _preparations:
        _preparations.append(preparation)


def is_time_for_it(using: str) -> bool:
    """Return whether something can be done first: not inside a transaction.

    Whoever opened it can still take all of it back, and on SQLite a backup would not see, or would wait for, what is
    written in it.
    """
    return bool(_preparations) and not connections[using].in_atomic_block


def prepare(coming: Coming) -> list[str]:
    """Do what was registered for the act, if it is time for it or the act requires it; return what it is called."""
    if not coming.required and not is_time_for_it(coming.using):
        return []
    return [name for preparation in _preparations if (name := preparation(coming))]
