"""What must not be running when a database is restored; apps that have something to say add it here."""

from collections.abc import Callable

from apps.backups.errors import RestoreRefused
from apps.changesets.hooks import Hook

# Each is asked before a restore into a live database, and returns why it must be left alone now, in one sentence.
GUARDS: Hook[Callable[[str], str]] = Hook()


def require_quiet(using: str) -> None:
    """Raise RestoreRefused when somebody is at work whom a restore would pull the rows from under."""
    for guard in GUARDS.of():
        if reason := guard(using):
            raise RestoreRefused(reason)
