"""Guards: what may refuse a restore into a live database."""

from collections.abc import Callable

from apps.changesets.hooks import Hook

# Each is called before a restore into a live database, and returns why the database must be left alone now, or "".
GUARDS: Hook[Callable[[str], str]] = Hook()
