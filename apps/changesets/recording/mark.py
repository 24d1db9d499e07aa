"""The mark that tells the triggers which changeset is open in this transaction."""

from datetime import datetime

from django.db.backends.base.base import BaseDatabaseWrapper

from apps.changesets.recording.postgresql import DIRECT_SETTING, OPEN_SETTING
from apps.changesets.recording.sqlite import OPEN


def open_mark(connection: BaseDatabaseWrapper, *, changeset_id: int, user_id: int | None, at: datetime) -> None:
    """Make all writes of this transaction belong to the changeset from here on."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            moment = connection.ops.adapt_datetimefield_value(at)
            cursor.execute(
                f"INSERT OR REPLACE INTO {OPEN} (id, changeset_id, user_id, at) VALUES (1, %s, %s, %s)",
                [changeset_id, user_id, moment],
            )
        else:
            mark = f"{changeset_id}|{user_id or ''}|{at.isoformat()}"
            cursor.execute(_SET_LOCAL, [OPEN_SETTING, mark, DIRECT_SETTING, ""])


def close_mark(connection: BaseDatabaseWrapper) -> None:
    """Make further writes of this transaction direct ones again."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"DELETE FROM {OPEN}")
        else:
            cursor.execute(_SET_LOCAL, [OPEN_SETTING, "", DIRECT_SETTING, ""])


_SET_LOCAL = "SELECT set_config(%s, %s, true), set_config(%s, %s, true)"
