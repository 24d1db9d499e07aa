"""A cache of costly figures: each is worked out once for each state of the tables."""

import logging
from collections.abc import Callable
from hashlib import sha256
from typing import Any, TypeVar, cast

from django.core.cache import caches
from django.db import DEFAULT_DB_ALIAS, router

from apps.changesets.identity import shared_name
from apps.changesets.models import Changeset, ChangesetTransaction
from apps.changesets.sql import Sql
from apps.changesets.tracking import tracked_models

T = TypeVar("T")

_NOTHING = object()
logger = logging.getLogger(__name__)


def state_of_tables(*labels: str, using: str = "default") -> str:
    """Return a short text that is another one after any recorded write to these models (labels; none for all).

    The newest history row tells it, with its date, since a restored database counts on from an earlier number. And
    how many changesets there are, and transactions that wrote them: PostgreSQL hands numbers out before it commits, so
    earlier ones may come later.
    """
    sql = Sql(using, changesets=Changeset._meta.db_table, transactions=ChangesetTransaction._meta.db_table)
    parts = [sql.fill("SELECT count(*), coalesce(max(id), 0), NULL FROM {changesets}")]
    parts += [sql.fill("SELECT count(*), 0, NULL FROM {transactions}")]
    parts += [
        sql.with_model(tracked).fill(
            """
            SELECT history_id, changeset_id, CAST(history_date AS text) FROM {history}
            WHERE history_id = (SELECT max(history_id) FROM {history})
            """
        )
        for tracked in tracked_models()
        if not labels or tracked.label in labels
    ]
    # The newest history row of each table, and how many changesets and transactions there are.
    newest = sql.rows("{parts}", parts=" UNION ALL ".join(parts))
    # What is remembered names columns, a plan of a revert above all: another version must not find it.
    columns = [(tracked.label, tracked.columns) for tracked in tracked_models()]
    return sha256(repr((shared_name(using), labels, newest, columns)).encode()).hexdigest()[:20]


def remembered(name: str, state: str, work_out: Callable[[], T]) -> T:
    """Return the value of this name and state of the tables; `work_out` makes it once."""
    value = recalled(name, state, _NOTHING)
    if value is _NOTHING:
        value = work_out()
        remember(name, state, value)
    return cast(T, value)


def remember(name: str, state: str, value: Any, *, seconds: int | None = None) -> None:
    """Remember a value for this name and state of the tables, for a week or for so many seconds.

    What cannot be remembered, on a full disk or while Redis is away, is worked out again.
    """
    try:
        caches["figures"].set(f"{name}:{state}", value, seconds or caches["figures"].default_timeout)
    except Exception as error:  # each kind of cache has errors of its own
        logger.warning("The figure %s cannot be remembered: %s", name, error)


def recalled(name: str, state: str, default: Any = None) -> Any:
    """Return what is remembered for this name and state of the tables, or the default: nothing is worked out."""
    try:
        return caches["figures"].get(f"{name}:{state}", default)
    except Exception as error:
        logger.warning("Whether the figure %s is remembered cannot be seen: %s", name, error)
        return default


def reading_alias() -> str:
    """Return the database that this page may read from: its state and its figures must be of the same one."""
    return router.db_for_read(Changeset) or DEFAULT_DB_ALIAS
