"""A snapshot of the committed rows of a database, read by a connection of its own while others write."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, InterfaceError, connections, transaction
from django.db.migrations.recorder import MigrationRecorder

from apps.backups.aliases import alias_of
from apps.backups.errors import DatabaseUnreadable

# By engine. A reader of SQLite must not take the lock for writing. Three is psycopg's IsolationLevel.REPEATABLE_READ,
# which is not imported, since SQLite does without psycopg.
_AS_READER: dict[str, dict[str, Any]] = {
    "postgresql": {"isolation_level": 3},
    "sqlite": {"transaction_mode": "DEFERRED"},
}


@contextmanager
def snapshot(using: str) -> Iterator[str]:
    """Give the alias of a connection that reads one committed state and blocks no writer.

    Raises DatabaseUnreadable.
    """
    connection = connections[using]
    settings = connection.settings_dict
    options = {**settings.get("OPTIONS", {}), **_AS_READER[connection.vendor]}
    try:
        with alias_of({**settings, "OPTIONS": options}) as alias, transaction.atomic(using=alias):
            # The transaction takes its snapshot with the first read.
            MigrationRecorder(connections[alias]).migration_qs.count()
            yield alias
    except (DatabaseError, InterfaceError) as error:
        message = " ".join(str(error).split())
        raise DatabaseUnreadable(f"The database cannot be read: {message}. No backup was made.") from error
