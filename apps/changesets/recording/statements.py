"""What the two databases' recordings are made of."""

from collections.abc import Callable
from dataclasses import dataclass, field

PREFIX = "record_"


@dataclass(frozen=True)
class Names:
    """How to quote, and where things are."""

    quote: Callable[[str], str]
    changeset_table: str
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
