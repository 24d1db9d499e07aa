"""Proof that history is complete: the live row equals the newest history row of each object."""

from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from apps.changesets.history.counts import count_objects
from apps.changesets.models import Changeset, Kind
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_models

EXAMPLES = 5


@dataclass
class Drift:
    """Live rows that differ from history, of one model: how many of which sort, and some keys."""

    model: str
    unrecorded: int = 0
    changed: int = 0
    gone: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.unrecorded + self.changed + self.gone


def find_drift(using: str = "default") -> tuple[int, list[Drift]]:
    """Return how many live objects there are, and for each model with drift what it is."""
    sql = Sql(using)
    objects, found = 0, []
    for tracked in _recorded(sql):
        objects += sql.value(f"SELECT count(*) FROM {sql.quote(tracked.table)}")
        drift = Drift(tracked.label)
        for name, query in _drift_queries(sql, tracked).items():
            keys = sql.rows(f"SELECT {sql.quote(tracked.pk)} {query}")
            setattr(drift, name, len(keys))
            drift.examples += [str(key) for (key,) in keys[:EXAMPLES]]
        if drift.total:
            found.append(drift)
    return objects, found


def record_drift(*, kind: str, reason: str, using: str = "default") -> list[Changeset]:
    """Write the history rows that are missing, and return the changesets they went to.

    Objects without any history get a `baseline` changeset, all other drift goes to one of the `kind` given.
    """
    sql = Sql(using)
    now = timezone.now()
    now = now.replace(microsecond=now.microsecond or 1)
    written = []
    with transaction.atomic(using=using):
        for changeset_kind, why, names in (
            (Kind.BASELINE, "Rows found without history.", ("unrecorded",)),
            (kind, reason, ("changed", "gone")),
        ):
            changeset = Changeset(kind=changeset_kind, reason=why, created_at=now)
            for tracked in _recorded(sql):
                queries = _drift_queries(sql, tracked)
                for name in names:
                    _write(sql, tracked, changeset, name, queries[name])
            if changeset.pk:
                changeset.counts = count_objects(changeset.pk, using=using)
                changeset.finished_at = timezone.now()
                changeset.save(using=using)
                written.append(changeset)
    return written


def _recorded(sql: Sql) -> list[Tracked]:
    tables = set(sql.connection.introspection.table_names())
    return [tracked for tracked in tracked_models() if {tracked.table, tracked.history_table} <= tables]


def _drift_queries(sql: Sql, tracked: Tracked) -> dict[str, str]:
    """Return the FROM and WHERE of each sort of drift; the row to record is called `r`, a deleted one from history."""
    live, history, pk = sql.quote(tracked.table), sql.quote(tracked.history_table), sql.quote(tracked.pk)
    # The newest history row of each object.
    newest = (
        f"(SELECT h.* FROM {history} h JOIN (SELECT max(history_id) AS id FROM {history} GROUP BY {pk}) n "
        f"ON n.id = h.history_id)"
    )
    differ = sql.differ(tracked.compared, "r", "n")
    return {
        "unrecorded": f"FROM {live} r WHERE NOT EXISTS (SELECT 1 FROM {history} n WHERE n.{pk} = r.{pk})",
        "changed": f"FROM (SELECT r.* FROM {live} r JOIN {newest} n ON n.{pk} = r.{pk} "
        f"WHERE n.history_type = '-' OR {differ}) r",
        "gone": f"FROM {newest} r WHERE r.history_type <> '-' "
        f"AND NOT EXISTS (SELECT 1 FROM {live} l WHERE l.{pk} = r.{pk})",
    }


def _write(sql: Sql, tracked: Tracked, changeset: Changeset, name: str, query: str) -> None:
    """Record one sort of drift under the changeset, which is saved when the first row asks for it."""
    if not sql.value(f"SELECT count(*) {query}"):
        return
    if not changeset.pk:
        changeset.save(using=sql.using)
    sign = {"unrecorded": "'+'", "gone": "'-'"}.get(name, "'~'")
    columns = sql.names(tracked.columns)
    sql.run(
        f"INSERT INTO {sql.quote(tracked.history_table)} ({columns}, history_date, history_type, changeset_id) "
        f"SELECT {sql.names(tracked.columns, of='r')}, %s, {sign}, %s {query}",
        [sql.moment(changeset.created_at), changeset.pk],
    )
