"""The row that a trigger writes when somebody changes a tracked table outside any changeset."""

from collections.abc import Collection

from apps.changesets.fields import column_of
from apps.changesets.models import Changeset, Kind

# Consecutive direct writes of one session within this many seconds are one changeset, or a shell loop makes thousands.
JOIN_SECONDS = 5


def direct_changeset_values(*, columns: Collection[str], now: str, actor: str) -> dict[str, str]:
    """Return column -> SQL expression of a new direct changeset, for the columns that the table really has.

    `now` and `actor` are the database's expressions for the present moment and for who is connected.
    """
    expressions = {"kind": f"'{Kind.DIRECT}'", "created_at": now, "actor_name": actor}
    for field in Changeset._meta.concrete_fields:
        column = column_of(field)
        if field.primary_key or column in expressions:
            continue
        default = field.get_default()
        expressions[column] = "NULL" if default is None else f"'{default}'"
    return {column: sql for column, sql in expressions.items() if column in columns}
