"""The parts of a recording that both databases have."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from apps.changesets.fields import column_of
from apps.changesets.models import Changeset, Kind

PREFIX = "record_"
# Consecutive direct writes of one session within this many seconds are one changeset, or a shell loop makes thousands.
JOIN_SECONDS = 5
# An UPDATE that begins with this promises that it changes each row that it touches, and no primary key. PostgreSQL then
# records it once, from the new rows alone.
BY_SET = "/* by set */"


@dataclass(frozen=True)
class Names:
    """How to quote names, and the names of the changeset table, the triggers and the schema."""

    quote: Callable[[str], str]
    changeset_table: str
    transaction_table: str
    prefix: str = PREFIX
    schema: str = ""


@dataclass(frozen=True)
class TableShape:
    """The columns that a tracked table and its history table both have, as the database says now."""

    table: str
    history_table: str
    pk: str
    columns: tuple[str, ...]
    compared: tuple[str, ...]


@dataclass(frozen=True)
class Recording:
    """Statements that install a part of the recording, by the name of what they make, and those that take it away."""

    create: dict[str, str]
    drop: list[str] = field(default_factory=list)


def direct_changeset_values(*, columns: Collection[str], now: str, actor: str) -> dict[str, str]:
    """Return column -> SQL expression of a new direct changeset, for the columns that the table really has.

    `now` and `actor` are the database's expressions for the present moment and for who is connected.
    """
    expressions = {"kind": f"'{Kind.DIRECT}'", "created_at": now, "actor_name": actor}
    for changeset_field in Changeset._meta.concrete_fields:
        column = column_of(changeset_field)
        if changeset_field.primary_key or column in expressions:
            continue
        default = changeset_field.get_default()
        expressions[column] = "NULL" if default is None else f"'{default}'"
    return {column: sql for column, sql in expressions.items() if column in columns}
