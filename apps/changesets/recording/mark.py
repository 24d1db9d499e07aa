"""The mark that tells the triggers which changeset is open in this transaction."""

from datetime import UTC, datetime

from django.db.backends.base.base import BaseDatabaseWrapper

from apps.changesets.recording.postgresql import DIRECT_SETTING, OPEN_SETTING
from apps.changesets.recording.sqlite import OPEN
from apps.changesets.sql import Sql


def open_mark(connection: BaseDatabaseWrapper, *, changeset_id: int, user_id: int | None, at: datetime) -> None:
    """Make all writes of this transaction belong to the changeset from here on."""
    sql = Sql(connection, open=OPEN)
    if sql.postgresql:
        sql.run(_SET_LOCAL, [OPEN_SETTING, f"{changeset_id}|{user_id or ''}|{_as_text(at)}", DIRECT_SETTING, ""])
    else:
        sql.run(
            "INSERT OR REPLACE INTO {open} (id, changeset_id, user_id, at) VALUES (1, %s, %s, %s)",
            [changeset_id, user_id, sql.moment(at)],
        )


def close_mark(connection: BaseDatabaseWrapper) -> None:
    """Make further writes of this transaction direct ones again."""
    sql = Sql(connection, open=OPEN)
    if sql.postgresql:
        sql.run(_SET_LOCAL, [OPEN_SETTING, "", DIRECT_SETTING, ""])
    else:
        sql.run("DELETE FROM {open}")


def _as_text(at: datetime) -> str:
    """Return a moment as the database writes it, which compares the mark with the changeset."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


_SET_LOCAL = "SELECT set_config(%s, %s, true), set_config(%s, %s, true)"
