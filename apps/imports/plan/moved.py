"""Rows that applying skips and lists: their object changed after the plan was made, or something blocks them by now.

It is the same for a plan that is applied at once and for a stored one.
"""

from collections.abc import Iterator
from datetime import datetime

from apps.imports.models import Pin
from apps.imports.plan.match import refuse_held, refuse_object_twice
from apps.imports.plan.match_by_columns import refuse_clashes, refuse_unknown_references
from apps.imports.plan.missing import superseded_pks
from apps.imports.plan.pinned_rows import pinned_rows
from apps.imports.results import LeftAlone
from apps.imports.staging.tables import Staging

_MOVED = "somebody changed it after the plan was made"
_GONE = "it was deleted after the plan was made"
_PINNED = "somebody pinned a field of it after the plan was made"
_THERE = "somebody made an object with this key after the plan was made"


def skip_moved(staging: Staging, planned_at: datetime, *, same: bool = False) -> list[LeftAlone]:
    """Take out the rows whose object changed, or got a pin, after the plan was made; return them with the reason.

    Where the history is the `same`, no object changed.
    """
    staging.run("DROP TABLE IF EXISTS {moved}")
    # Objects whose newest history row is another one by now. What is only reported as missing does not matter.
    staging.run(
        """
        CREATE TEMP TABLE {moved} AS
        SELECT p.line, p.old_pk, CASE WHEN l.{pk} IS NULL THEN 1 ELSE 0 END AS gone
        FROM (SELECT x.line, x.old_pk, x.history_id FROM {changed} x
              UNION ALL SELECT NULL, m.old_pk, m.history_id FROM {missing} m {to_change}) p
        LEFT JOIN {live} l ON l.{pk} = p.old_pk
        WHERE {changed_since}
        """,
        to_change=_to_change(staging),
        changed_since="FALSE" if same else _changed_since(staging),
    )
    moved = staging.rows("SELECT line, old_pk, gone FROM {moved}")
    pinned = _pinned_since(staging, planned_at)
    staging.load("imports_moved", ["line", "old_pk", "gone"], ((line, pk, 0) for line, pk in pinned))
    if moved or pinned:
        staging.run("DELETE FROM {changed} WHERE old_pk IN (SELECT old_pk FROM {moved})")
        staging.run("DELETE FROM {missing} WHERE old_pk IN (SELECT old_pk FROM {moved})")
    staging.run("DROP TABLE {moved}")
    alone = {pk: LeftAlone(line, staging.pk_in_words(pk), _PINNED) for line, pk in pinned}
    alone |= {pk: LeftAlone(line, staging.pk_in_words(pk), _GONE if gone else _MOVED) for line, pk, gone in moved}
    return list(alone.values())


def _changed_since(staging: Staging) -> str:
    newest = staging.newest_history("p.old_pk")
    return staging.fill("l.{pk} IS NULL OR p.history_id IS DISTINCT FROM {newest}", newest=newest)


def skip_blocked(staging: Staging) -> list[LeftAlone]:
    """Take out the rows that something blocks by now, and return them with the reason.

    It is an object with their key, or a skipped row, which does not give free what they were to get.
    """
    alone = dict(_already_there(staging))
    for refuse in (refuse_unknown_references, refuse_object_twice, refuse_held, refuse_clashes):
        alone |= {refusal.line: refusal.hint for refusal in refuse(staging)[1]}
    return [LeftAlone(line, "", why) for line, why in alone.items()]


def _to_change(staging: Staging) -> str:
    if staging.options.missing != "report":
        return ""
    if staging.spec.automatic or not staging.has_rows("imports_missing"):
        return "WHERE FALSE"
    return f"WHERE m.old_pk IN ({superseded_pks(staging)})"


def _pinned_since(staging: Staging, planned_at: datetime) -> list[tuple[int | None, object]]:
    """Return line and primary key of the objects that got a pin after the plan was made."""
    rows, params = pinned_rows(staging)
    # Their pins are newer than the plan.
    return staging.rows(
        """
        SELECT DISTINCT e.line, r.old_pk FROM ({rows}) r
        JOIN {pin} p ON p.id = r.pin_id
        JOIN (SELECT line, old_pk FROM {changed} UNION ALL SELECT NULL, old_pk FROM {missing}) e ON e.old_pk = r.old_pk
        WHERE p.created_at > %s
        """,
        [*params, staging.moment(planned_at)],
        rows=rows,
        pin=staging.quote(Pin._meta.db_table),
    )


def _already_there(staging: Staging) -> Iterator[tuple[int, str]]:
    """Take out the new rows whose stable key an object got after the plan was made."""
    if staging.spec.stable_key not in staging.layout.fields:
        return
    staging.empty("imports_blocked")
    staging.run(
        """
        INSERT INTO {blocked} (line, holder)
        SELECT w.line, NULL FROM {created} w JOIN {live} l ON l.{stable_key} = w.{new_stable_key}
        """
    )
    for line in staging.firsts("SELECT line FROM {blocked}"):
        yield line, _THERE
    staging.run("DELETE FROM {staged} WHERE line IN (SELECT line FROM {blocked})")
