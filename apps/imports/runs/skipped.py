"""What applying leaves alone: rows whose object moved since the plan, and rows in whose way something stands now."""

from collections.abc import Iterator
from datetime import datetime

from apps.imports.models import ImportRun, Pin, PlannedRow
from apps.imports.plan.match import refuse_held
from apps.imports.plan.match_by_columns import refuse_clashes, refuse_unknown_references
from apps.imports.plan.pinned_rows import pinned_rows
from apps.imports.staging.tables import Staging

_AT_ONCE = 500
_MOVED = "somebody changed it after the plan was made"
_GONE = "it was deleted after the plan was made"
_PINNED = "somebody pinned a field of it after the plan was made"
_THERE = "somebody made an object with this key after the plan was made"


def leave_moved(run: ImportRun, staging: Staging) -> int:
    """Take the rows that no longer are what the plan saw out of the tables, note why, and return how many.

    What they hold up (a natural key that they would have given free) is left alone with them.
    """
    alone = dict(_moved(staging)) | dict(_pinned_since(run, staging))
    alone |= dict(_already_there(staging))
    _take_out(staging)
    refusals = [
        refusal for refuse in (refuse_unknown_references, refuse_held, refuse_clashes) for refusal in refuse(staging)[1]
    ]
    alone |= {("line", refusal.line): refusal.hint for refusal in refusals}
    _note(run, alone)
    return len(alone)


def _moved(staging: Staging) -> Iterator[tuple[tuple[str, object], str]]:
    history = staging.quote(staging.spec.model.history.model._meta.db_table)
    staging.run("DROP TABLE IF EXISTS {moved}")
    # Objects whose newest history row is another one by now.
    staging.run("CREATE TEMP TABLE {moved} AS SELECT e.old_pk, "
                "CASE WHEN l.{pk} IS NULL THEN 1 ELSE 0 END AS gone FROM {expected} e "
                "LEFT JOIN {live} l ON l.{pk} = e.old_pk WHERE e.history_id IS DISTINCT FROM "
                "(SELECT MAX(h.history_id) FROM {history} h WHERE h.{pk} = e.old_pk) OR l.{pk} IS NULL",
                history=history)  # fmt: skip
    for old_pk, gone in staging.fetch("SELECT old_pk, gone FROM {moved}"):
        yield ("object_id", staging.key_in_words(old_pk)), _GONE if gone else _MOVED


def _pinned_since(run: ImportRun, staging: Staging) -> Iterator[tuple[tuple[str, object], str]]:
    planned_at = datetime.fromisoformat(run.summary["planned_at"])
    rows, params = pinned_rows(staging)
    # Objects with a pin that the plan knows nothing of.
    found = staging.fetch("SELECT DISTINCT r.old_pk FROM ({rows}) r JOIN {pin} p ON p.id = r.pin_id "
                          "JOIN {expected} e ON e.old_pk = r.old_pk WHERE p.created_at > %s",
                          [*params, staging.connection.ops.adapt_datetimefield_value(planned_at)],
                          rows=rows, pin=staging.quote(Pin._meta.db_table))  # fmt: skip
    staging.load("imports_moved", ["old_pk", "gone"], ((old_pk, 0) for (old_pk,) in found))
    for (old_pk,) in found:
        yield ("object_id", staging.key_in_words(old_pk)), _PINNED


def _already_there(staging: Staging) -> Iterator[tuple[tuple[str, object], str]]:
    staging.run("DELETE FROM {blocked}")
    if staging.spec.key in staging.layout.fields:
        # New rows whose stable key some object has got meanwhile.
        staging.run("INSERT INTO {blocked} (line, holder) SELECT s.line, NULL FROM {staged} s "
                    "JOIN {live} l ON l.{key} = s.{skey}", skey=staging.quote(staging.spec.key))  # fmt: skip
    for (line,) in staging.fetch("SELECT line FROM {blocked}"):
        yield ("line", line), _THERE


def _take_out(staging: Staging) -> None:
    staging.run("DELETE FROM {staged} WHERE line IN (SELECT line FROM {blocked})")
    staging.run("DELETE FROM {changed} WHERE old_pk IN (SELECT old_pk FROM {moved})")
    staging.run("DELETE FROM {missing} WHERE old_pk IN (SELECT old_pk FROM {moved})")
    staging.run("DROP TABLE {moved}")


def _note(run: ImportRun, alone: dict[tuple[str, object], str]) -> None:
    """Write down at the rows why they were left alone, many at a time."""
    together: dict[tuple[str, str], list[object]] = {}
    for (what, value), why in alone.items():
        together.setdefault((what, why), []).append(value)
    for (what, why), values in together.items():
        for start in range(0, len(values), _AT_ONCE):
            found = {f"{what}__in": values[start : start + _AT_ONCE]}
            PlannedRow.objects.filter(run=run, **found).update(left_alone=why[:255])
