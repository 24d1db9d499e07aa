"""Whether a pooler between the console and PostgreSQL gives every transaction another session."""

from typing import Any

from django.db import connections

# Another client may take the session in between.
_TRIES = 3


def shares_sessions(using: str = "default") -> bool:
    """Whether a pooler hands sessions on after each transaction, as PgBouncer does in transaction mode.

    Temporary tables, advisory locks and bounds of waiting belong to a session, and would get lost. A pooler names a
    session that is none of the server's; if a second connection is then given the one that the first has just used,
    though that is open, sessions are shared.
    """
    connection: Any = connections[using]
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        return False
    connection.ensure_connection()
    first = connection.connection
    for _ in range(_TRIES):
        used = _session_of(first)
        if used == first.info.backend_pid:
            return False
        with connection.Database.connect(**connection.get_connection_params()) as second:
            if used == _session_of(second) or used != _session_of(first):
                return True
    return False


def _session_of(connection: Any) -> int:
    with connection.cursor() as cursor:
        return int(cursor.execute("SELECT pg_backend_pid()").fetchone()[0])
