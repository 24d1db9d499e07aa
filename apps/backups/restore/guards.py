"""What must not be running when a database is restored; apps that have something to say register it here."""

from collections.abc import Callable

from apps.backups.errors import RestoreRefused

# Returns why the database must be left alone now, in one sentence, or nothing.
Guard = Callable[[str], str]
_guards: list[Guard] = []


def register_guard(guard: Guard) -> None:
    """Ask `guard(using)` before each restore into a live database."""
    if guard not in _guards:
        _guards.append(guard)


def require_quiet(using: str) -> None:
    """Raise RestoreRefused when somebody is at work whom a restore would pull the rows from under."""
    for guard in _guards:
        if reason := guard(using):
            raise RestoreRefused(reason)
