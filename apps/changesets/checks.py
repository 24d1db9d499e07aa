"""System checks: does the database record what happens to the tracked tables?"""

from collections.abc import Sequence
from sqlite3 import dbapi2
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections
from django.db.utils import OperationalError

from apps.changesets.models import Changeset
from apps.changesets.recording import recording_problems

OLDEST_SQLITE = (3, 39)


@register(Tags.database)
def check_recording(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Report changesets.E001 for each table whose changes would go unrecorded, E002 for a SQLite that is too old."""
    messages: list[CheckMessage] = []
    for alias in databases or ():
        connection = connections[alias]
        if connection.vendor == "sqlite" and dbapi2.sqlite_version_info < OLDEST_SQLITE:
            messages.append(
                Error(
                    f"SQLite {dbapi2.sqlite_version} is too old.",
                    hint="Use a Python with SQLite 3.39 or newer, or PostgreSQL.",
                    id="changesets.E002",
                )
            )
            continue
        try:
            if Changeset._meta.db_table not in connection.introspection.table_names():
                continue  # Nothing is migrated yet; migrate installs the recording.
        except OperationalError:
            continue  # No database there; Django says so itself.
        messages += [
            Error(
                problem,
                hint="Run `python manage.py migrate`, then `python manage.py audit_history --repair`.",
                id="changesets.E001",
            )
            for problem in recording_problems(alias)
        ]
    return messages
