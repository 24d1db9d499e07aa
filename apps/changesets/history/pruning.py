"""Pruning old history; what a changeset that can still be reverted needs stays.

All history of the changesets before a date goes, but for the last row of each object there: it is the object as it is
now, as it was when it was deleted, or as the first changeset that stays found it. The changesets themselves stay, with
who, why and counts, and are marked: they cannot be reverted any more.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, Max, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from apps.changesets.errors import HistoryPruned
from apps.changesets.history.as_of import AFTER, Moment
from apps.changesets.history.counts import count_changes
from apps.changesets.hooks import Coming, prepare
from apps.changesets.models import Changeset, Kind, Status
from apps.changesets.processes.locking import lock_tracked_tables, patience
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_models

# Pruning waits this long for others who write, then it is refused as Busy.
PATIENCE_SECONDS = 20
_SPENT = "spent_changesets"
# The function that prunes on PostgreSQL: it takes the numbers of changesets.
PRUNE = "changesets_prune"


@dataclass(frozen=True)
class Pruning:
    """How many rows of history go, how many old ones are kept, and how many changesets cannot be reverted any more."""

    rows: int
    kept: int
    changesets: int


def plan_pruning(before: datetime) -> Pruning:
    """Return what pruning the history of changesets finished before a moment would do; changes nothing."""
    sql = Sql()
    expired = _expired(before)
    _list_spent(sql, expired)
    counts = [_count(sql, tracked) for tracked in tracked_models()]
    return Pruning(sum(gone for gone, _ in counts), sum(kept for _, kept in counts), expired.count())


def prune_history(before: datetime) -> Pruning:
    """Prune the history of changesets finished before a moment, all or nothing; a backup is made first.

    Raises Busy when others write for too long, and what the backup raises when it fails.
    """
    prepare(Coming(kind=Kind.DELETE, actor=None, act="pruning history"))
    sql = Sql()
    with patience(PATIENCE_SECONDS), transaction.atomic():
        lock_tracked_tables()
        done = plan_pruning(before)
        numbers = list(_expired(before).values_list("pk", flat=True))
        pruned = Changeset.objects.using("default").filter(pk__in=numbers)
        for changeset in pruned.filter(counts__isnull=True):
            _close_direct(changeset)
        if sql.postgresql:
            # Who runs the console need not have the right to delete history.
            sql.rows("SELECT {prune}(%s::bigint[])", [numbers], prune=sql.quote(PRUNE))
        else:
            pruned.update(pruned_at=timezone.now())
            for tracked in tracked_models():
                sql.run("{deletion}", deletion=delete_superseded(sql, tracked))
    return done


def delete_superseded(sql: Sql, tracked: Tracked, *, schema: str = "") -> str:
    """Return the statement that deletes the rows of pruned changesets that nothing needs, of tables in a schema."""
    prefix = f"{sql.quote(schema)}." if schema else ""
    tables = sql.with_model(tracked).with_parts(
        history=prefix + sql.quote(tracked.history_table), changesets=prefix + sql.quote(Changeset._meta.db_table)
    )
    spent = tables.fill("(SELECT id FROM {changesets} WHERE pruned_at IS NOT NULL) spent")
    return tables.fill(
        "DELETE FROM {history} WHERE history_id IN ({superseded})", superseded=_superseded(tables, spent=spent)
    )


def refuse_pruned(changesets: QuerySet[Changeset]) -> None:
    """Raise HistoryPruned when the history of any of the changesets was pruned."""
    newest = changesets.filter(pruned_at__isnull=False).order_by("-pk").first()
    if newest is not None:
        raise HistoryPruned(f"The history up to {newest} was pruned: choose what came after it.")


def refuse_pruned_moment(moment: Moment) -> None:
    """Raise HistoryPruned when nobody knows any more what was there at the moment."""
    pruned = Changeset.objects.using("default").filter(pruned_at__isnull=False)
    if moment.date is not None:
        end = pruned.aggregate(end=Max(Coalesce("finished_at", "created_at")))["end"]
        if end is not None and moment.date < end:
            local = timezone.localtime(end).isoformat(sep=" ", timespec="seconds")
            raise HistoryPruned(f"The history before {local} was pruned: choose a later moment.")
    elif moment.changeset is not None:
        # The state right after the last one of them is known, as is that before the next.
        refuse_pruned(pruned.filter(**{"pk__gt" if moment.side == AFTER else "pk__gte": moment.changeset}))


def _expired(before: datetime) -> QuerySet[Changeset]:
    """Return the changesets that were over before the moment, and before any that were not had begun.

    So no row that stays is older than one that goes, whatever transactions overlapped.
    """
    changesets = Changeset.objects.using("default").exclude(status=Status.FAILED)
    while True:
        late = Q(created_at__gte=before) | Q(finished_at__gte=before)
        for tracked in tracked_models():
            # A direct write says only when it began, and the newest may still grow.
            since = min(before, timezone.now() - timedelta(minutes=1))
            rows = tracked.history_model._base_manager.filter(changeset=OuterRef("pk"), history_date__gte=since)
            late |= Q(Exists(rows.order_by()), finished_at=None)
        staying = changesets.filter(late)
        earliest = staying.aggregate(earliest=Min("created_at"))["earliest"]
        if earliest is None or earliest >= before:
            return changesets.filter(pruned_at=None).exclude(pk__in=staying.order_by().values("pk"))
        before = earliest


def _list_spent(sql: Sql, expired: QuerySet[Changeset]) -> None:
    """List the changesets whose rows may go in a temporary table: those that expired, now or in an earlier pruning."""
    sql.fresh_temp(_SPENT, "id bigint PRIMARY KEY")
    pruned = Changeset.objects.using(sql.using).filter(pruned_at__isnull=False)
    for changesets in (expired, pruned):
        select, params = changesets.order_by().values("pk").query.get_compiler(sql.using).as_sql()
        sql.run("INSERT INTO {spent} {select}", params, spent=sql.temp(_SPENT), select=select)


def _superseded(sql: Sql, *, spent: str) -> str:
    """Return a SELECT of the rows after which the same object has another one that may go, too; of a model's `sql`."""
    return sql.fill(
        """
        SELECT history_id FROM (
            SELECT history_id, changeset_id,
                   lead(changeset_id) OVER (PARTITION BY {pk} ORDER BY history_id) AS next_id
            FROM {history}
        ) r WHERE changeset_id IN (SELECT id FROM {spent}) AND next_id IN (SELECT id FROM {spent})
        """,
        spent=spent,
    )


def _count(sql: Sql, tracked: Tracked) -> tuple[int, int]:
    """Return how many rows of the spent changesets would go, and how many would stay."""
    sql, spent = sql.with_model(tracked), sql.temp(_SPENT)
    gone = sql.value("SELECT count(*) FROM ({superseded}) g", superseded=_superseded(sql, spent=spent))
    # All rows of the spent changesets.
    old = sql.value("SELECT count(*) FROM {history} WHERE changeset_id IN (SELECT id FROM {spent})", spent=spent)
    return gone, old - gone


def _close_direct(changeset: Changeset) -> None:
    """Store the counts of a direct write before its rows are pruned."""
    dates = [
        tracked.history_model._base_manager.using("default")
        .filter(changeset=changeset)
        .aggregate(at=Max("history_date"))
        for tracked in tracked_models()
    ]
    changeset.finished_at = max((date["at"] for date in dates if date["at"]), default=changeset.created_at)
    changeset.counts, changeset.field_counts = count_changes(changeset.pk)
    changeset.save(update_fields=["counts", "field_counts", "finished_at"])
