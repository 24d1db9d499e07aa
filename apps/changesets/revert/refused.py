"""Writing what working copies say; rows that the database refuses all the same are found, blocked, and left out."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import DataError, IntegrityError, transaction

from apps.changesets.processes.failures import constraint_of
from apps.changesets.revert.blocking import CHANGED, RULE, block, spread
from apps.changesets.revert.matching import copy_of
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked

T = TypeVar("T")
Write = Callable[[Sql, list[Tracked]], None]
REFUSED = (IntegrityError, DataError)


def write_or_block(sql: Sql, touched: list[Tracked], write: Write) -> bool:
    """Write, and return whether rows were blocked because the database refused them.

    Only then are they looked for: what is refused is halved until single rows are left.
    """
    blocked = False
    while True:
        try:
            with transaction.atomic(using=sql.using):
                write(sql, touched)
            return blocked
        except REFUSED:
            found = [_block_in(sql, touched, tracked, write) for tracked in touched]
            if not any(found):
                raise
            spread(sql, touched)
            blocked = True


def _block_in(sql: Sql, touched: list[Tracked], tracked: Tracked, write: Write) -> bool:
    copy = copy_of(sql, tracked)
    ids = copy.firsts(
        "SELECT w_id FROM {working} WHERE w_verdict IN ({marks}) ORDER BY w_id", CHANGED, marks=sql.marks(CHANGED)
    )
    found = refused_among(ids, lambda few: _try(sql, touched, tracked, few, write))
    for few, constraint in found:
        block(sql, tracked, few, RULE, constraint)
    return bool(found)


def refused_among(
    ids: Sequence[T], attempt: Callable[[Sequence[T]], str], *, beside: Sequence[T] = ()
) -> list[tuple[Sequence[T], str]]:
    """Return the rows that the database refuses, each with the constraint, also beside others that it takes.

    `attempt` writes rows for a moment, and returns what is broken, or "".
    """
    constraint = attempt([*beside, *ids]) if ids else ""
    if not constraint or len(ids) == 1:
        return [(ids, constraint)] if constraint else []
    first, second = ids[: len(ids) // 2], ids[len(ids) // 2 :]
    found = [part for half in (first, second) for part in refused_among(half, attempt, beside=beside)]
    # Where each half alone is taken, rows of the second give way to those of the first.
    return found or refused_among(second, attempt, beside=[*beside, *first])


def _try(sql: Sql, touched: list[Tracked], tracked: Tracked, ids: Sequence[int], write: Write) -> str:
    """Write nothing but these rows, and what is deleted of their model, for a moment; return what is broken, or ""."""
    try:
        with transaction.atomic(using=sql.using):
            for other in touched:
                copy = copy_of(sql, other)
                own = other is tracked
                # Ids are numbers of ours; there are too many to bind.
                copy.run(
                    "UPDATE {working} SET w_verdict = NULL WHERE w_id NOT IN ({ids}) {and_not_deleted}",
                    ids=", ".join(map(str, ids)) if own else "0",
                    and_not_deleted=copy.fill("AND w_verdict <> {deleted}") if own else "",
                )
            write(sql, touched)
            transaction.set_rollback(True, using=sql.using)
    except REFUSED as error:
        return constraint_of(error)
    return ""
