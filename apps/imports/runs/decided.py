"""Planned rows that a person decided about: what is staged of them again, and which object they are about."""

from typing import Any, NamedTuple

from django.db.models import Q

from apps.imports.models import Decision, RowKind

# The rows whose values a person takes, and the disputed rows of which a person said which key counts.
TAKEN = Q(kind=RowKind.CHANGED, kept=True, decision=Decision.TAKE)
BY_KEY = Q(disputed__isnull=False, decision__in=(Decision.ID, Decision.IDENT))


class Loaded(NamedTuple):
    """What applying needs of a planned row; making whole objects of them would take longer than writing does."""

    id: int
    line: int | None
    old_pk: str
    superseded: bool
    kept: bool
    payload: dict[str, Any]
    disputed: dict[str, Any] | None
    history_id: int | None
    decision: str


class Decided(NamedTuple):
    """What the file says in a row, the object that it is about (none: a new one), and the one that gives way to it.

    With `takes` its values count against what was corrected or pinned here.
    """

    line: int | None
    staged: dict[str, Any]
    upstream: Any
    old_pk: str
    history_id: int | None
    takes: bool = False
    gives_way: str = ""
    gives_way_history: int | None = None


def as_decided(row: Loaded) -> Decided:
    """Return what a row is as a person decided."""
    staged, upstream = row.payload["staged"], row.payload["upstream"]
    if row.disputed is None:
        return Decided(row.line, staged, upstream, row.old_pk, row.history_id, takes=True)
    by_id, by_others = (row.disputed[name] or {} for name in ("id", "ident"))
    if row.decision == Decision.IDENT:
        staged = staged | row.disputed["keys"]
        return Decided(row.line, staged, upstream, by_others.get("pk", ""), by_others.get("history_id"))
    gone = by_others if row.disputed["lone"] else {}
    gives_way = {"gives_way": gone.get("pk", ""), "gives_way_history": gone.get("history_id")}
    return Decided(row.line, staged, upstream, by_id["pk"], by_id["history_id"], **gives_way)
