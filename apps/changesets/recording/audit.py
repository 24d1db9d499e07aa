"""Proof that history is complete: the live row equals the newest history row of each object.

And that it is whole: each history row has its changeset, whose stored counts are those of its rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, Max, Min, OuterRef, QuerySet
from django.utils import timezone

from apps.changesets.history.counts import count_changes, miscounted
from apps.changesets.history_models import HistoryRow
from apps.changesets.models import Changeset, Kind
from apps.changesets.processes.progress import board, entry, where_the_board_can_be_used
from apps.changesets.sql import Sql
from apps.changesets.tables import tracked_there
from apps.changesets.tracking import Tracked, tracked_models

EXAMPLES = 5
# The reason of a changeset that is made anew.
LOST = "Found by audit_history: rows of history whose changeset was lost."


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


@dataclass(frozen=True)
class History:
    """The comparison of live rows with history: number of objects, how many differ, and when it was made."""

    objects: int
    drift: int
    at: datetime


def note_drift(objects: int, drifts: Sequence[Drift]) -> History:
    """Note on the board what a look at all rows of the database brought, and return it."""
    history = History(objects, sum(drift.total for drift in drifts), timezone.now())
    with where_the_board_can_be_used("Health does not see what this look at all rows brought."):
        board().set(entry("drift"), history, timeout=None)
    return history


def noted_drift() -> History | None:
    """Return what the last look at all rows brought, whatever was written since; None where nobody has looked."""
    noted: History | None = board().get(entry("drift"))
    return noted


def find_drift(using: str = "default") -> tuple[int, list[Drift]]:
    """Return how many live objects there are, and for each model with drift what it is."""
    sql = Sql(using)
    objects, drifts = 0, []
    for tracked in tracked_there(using):
        there, same = _compare(sql, tracked)
        objects += there
        if same:
            continue
        drift = Drift(tracked.label)
        for name, query in _drift_queries(sql, tracked).items():
            keys = sql.with_model(tracked).firsts("SELECT {pk} {query}", query=query)
            setattr(drift, name, len(keys))
            drift.examples += [str(key) for key in keys[:EXAMPLES]]
        drifts.append(drift)
    return objects, drifts


def _compare(sql: Sql, tracked: Tracked) -> tuple[int, bool]:
    """Return how many live objects there are, and whether they are those of the newest history rows, in one pass."""
    sql = sql.with_model(tracked)
    live, recorded, equal = sql.rows(
        """
        SELECT (SELECT count(*) FROM {live}), count(*),
               count(CASE WHEN r.{pk} IS NOT NULL AND NOT ({differ}) THEN 1 END)
        FROM {newest} n LEFT JOIN {live} r ON r.{pk} = n.{pk} WHERE n.history_type <> '-'
        """,
        newest=_newest(sql),
        differ=sql.differ(tracked.compared, "r", "n"),
    )[0]
    # Equal ones are live and recorded: where there are as many of each, nothing else is either.
    return live, live == recorded == equal


def record_drift(*, kind: str, reason: str, using: str = "default") -> list[Changeset]:
    """Write the history rows that are missing, and return the changesets they went to.

    Objects without any history get a `baseline` changeset, all other drift goes to one of the `kind` given.
    """
    sql, recorded = Sql(using), tracked_there(using)
    now = timezone.now()
    now = now.replace(microsecond=now.microsecond or 1)
    written = []
    with transaction.atomic(using=using):
        for changeset_kind, why, names in (
            (Kind.BASELINE, "Rows found without history.", ("unrecorded",)),
            (kind, reason, ("changed", "gone")),
        ):
            changeset = Changeset(kind=changeset_kind, reason=why, created_at=now)
            for tracked in recorded:
                queries = _drift_queries(sql, tracked)
                for name in names:
                    _write(sql, tracked, changeset, name, queries[name])
            if changeset.pk:
                changeset.counts = count_changes(changeset.pk, using=using, among=recorded)[0]
                changeset.finished_at = timezone.now()
                changeset.save(using=using)
                written.append(changeset)
    return written


def count_orphans(using: str = "default") -> int:
    """Return how many history rows name a changeset that does not exist."""
    return sum(_orphans(tracked, using).count() for tracked in tracked_there(using))


def find_miscounted(using: str = "default") -> list[Changeset]:
    """Return the changesets whose stored counts are not those of their rows; none half way through migrations."""
    if tracked_there(using) != tracked_models():
        return []
    return [changeset for changeset, _counts, _fields in miscounted(using)]


def mend_changesets(using: str = "default") -> list[Changeset]:
    """Bring back the changesets that history rows name but do not exist, and store true counts; return those mended."""
    with transaction.atomic(using=using):
        mended = _bring_back(using)
        if tracked_there(using) == tracked_models():
            for changeset, counts, field_counts in miscounted(using):
                changeset.counts, changeset.field_counts = counts, field_counts
                changeset.save(using=using, update_fields=["counts", "field_counts"])
                mended.append(changeset)
    return mended


def _bring_back(using: str) -> list[Changeset]:
    """Make the missing changesets anew under their numbers, as far as their rows tell of them."""
    times: dict[int, list[datetime]] = {}
    for tracked in tracked_there(using):
        dates = _orphans(tracked, using).values_list("changeset_id").annotate(Min("history_date"), Max("history_date"))
        for number, *ends in dates:
            times.setdefault(number, []).extend(ends)
    for number, ends in sorted(times.items()):
        lost = Changeset(pk=number, kind=Kind.DIRECT, reason=LOST, created_at=min(ends), finished_at=max(ends))
        lost.counts, lost.field_counts = count_changes(number, using=using)
        lost.save(using=using, force_insert=True)
    return list(Changeset.objects.using(using).filter(pk__in=times).order_by("pk"))


def _orphans(tracked: Tracked, using: str) -> QuerySet[HistoryRow]:
    made_by = Changeset.objects.filter(pk=OuterRef("changeset_id"))
    return tracked.history_model._base_manager.using(using).filter(~Exists(made_by)).order_by()


def _drift_queries(sql: Sql, tracked: Tracked) -> dict[str, str]:
    """Return the FROM and WHERE of each sort of drift; the row to record is called `r`, a deleted one from history."""
    sql = sql.with_model(tracked)
    queries = {
        "unrecorded": "FROM {live} r WHERE NOT EXISTS (SELECT 1 FROM {history} n WHERE n.{pk} = r.{pk})",
        "changed": """
            FROM (
                SELECT r.* FROM {live} r JOIN {newest} n ON n.{pk} = r.{pk}
                WHERE n.history_type = '-' OR {differ}
            ) r
        """,
        "gone": """
            FROM {newest} r WHERE r.history_type <> '-'
            AND NOT EXISTS (SELECT 1 FROM {live} l WHERE l.{pk} = r.{pk})
        """,
    }
    differ = sql.differ(tracked.compared, "r", "n")
    return {name: sql.fill(query, newest=_newest(sql), differ=differ) for name, query in queries.items()}


def _newest(sql: Sql) -> str:
    """Return the newest history row of each object, as a table."""
    return sql.fill(
        """
        (SELECT h.* FROM {history} h
        JOIN (SELECT max(history_id) AS id FROM {history} GROUP BY {pk}) n ON n.id = h.history_id)
        """
    )


def _write(sql: Sql, tracked: Tracked, changeset: Changeset, name: str, query: str) -> None:
    """Record one sort of drift under the changeset, which is saved when the first row asks for it."""
    if not sql.value("SELECT count(*) {query}", query=query):
        return
    if not changeset.pk:
        changeset.save(using=sql.using)
    # Each row as it is (a deleted one as it was), in the changeset.
    sql.with_model(tracked).run(
        """
        INSERT INTO {history} ({columns}, history_date, history_type, changeset_id)
        SELECT {values}, %s, '{sign}', %s {query}
        """,
        [sql.moment(changeset.created_at), changeset.pk],
        values=sql.names(tracked.columns, of="r"),
        sign={"unrecorded": "+", "gone": "-"}.get(name, "~"),
        query=query,
    )
