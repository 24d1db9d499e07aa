"""The tables whose rows no backup has: what logs somebody in, and who did or tried to.

Sessions, tokens, throttles and second factors are recognised by the names of their tables, so that those of a package
that comes later are left out, too.
"""

from fnmatch import fnmatchcase

from django.conf import settings

from apps.changesets.sql import Sql
from apps.changesets.tracking import tracked_models

_LEFT_OUT = (
    "*_session",
    "*_sessions",
    "*token",
    "*tokens",
    "*throttle*",
    "*attempt",
    "*attempts",
    "axes_*",
    "otp_*",
)


def is_left_out(table: str) -> bool:
    """Whether the rows of a table are in no backup; those of tracked tables and of their history always are."""
    if any(table in (tracked.table, tracked.history_table) for tracked in tracked_models()):
        return False
    return any(fnmatchcase(table, pattern) for pattern in (*_LEFT_OUT, *settings.BACKUPS_LEAVE_OUT))


def log_everybody_out(using: str) -> None:
    """Empty the tables that no backup has, also where a foreign or an old one had rows of them."""
    sql = Sql(using)
    sql.empty(*filter(is_left_out, sql.connection.introspection.table_names()))
