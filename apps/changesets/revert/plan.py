"""Planning a revert: what would become of every object, without writing to any tracked table."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from apps.changesets.errors import EmptyScope, NothingToRevert, UnknownChangeset
from apps.changesets.history.pruning import refuse_pruned
from apps.changesets.models import Changeset, Kind, Status
from apps.changesets.processes.progress import Progress, quiet
from apps.changesets.revert.blocking import settle
from apps.changesets.revert.listing import count_in, count_partly, list_verdicts
from apps.changesets.revert.matching import copy_of
from apps.changesets.revert.verdicts import OPERATIONS, Bucket, OnConflict, RevertPlan, Scope, Window
from apps.changesets.revert.working import start_working_copy, undo_in_copy
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_by_name, tracked_models


def plan_revert(
    changesets: Sequence[Changeset | int],
    *,
    scope: Scope | None = None,
    on_conflict: str = OnConflict.KEEP,
    window: Window | None = None,
) -> RevertPlan:
    """Return what reverting the changesets would do, with the rows in `window`; only temporary tables are written.

    Raises UnknownChangeset, NothingToRevert for a changeset that is reverted already, failed, or cannot be taken back
    by its kind, and EmptyScope for a scope that does not exist or that the changesets did not touch.
    """
    chosen = load_revertable(changesets)
    check_scope(scope or Scope())
    policy = OnConflict(on_conflict)
    plan, _touched = merge(Sql(), chosen, scope=scope or Scope(), on_conflict=policy, window=window)
    return plan


def merge(
    sql: Sql,
    changesets: Sequence[Changeset],
    *,
    scope: Scope,
    on_conflict: OnConflict,
    seen: Mapping[str, int] | None = None,
    window: Window | None = None,
    progress: Progress = quiet,
) -> tuple[RevertPlan, list[Tracked]]:
    """Fill the working copies; return the plan they amount to, and the models that have one, parents first."""
    plan, touched = merge_copies(sql, changesets, scope=scope, on_conflict=on_conflict, seen=seen, progress=progress)
    return with_rows(sql, plan, touched, window=window), touched


def with_rows(sql: Sql, plan: RevertPlan, touched: list[Tracked], *, window: Window | None = None) -> RevertPlan:
    """Return a plan with the rows in `window`, as the working copies have them."""
    verdicts = list_verdicts(sql, touched, window=window or Window(), chosen=set(plan.changesets))
    return replace(plan, verdicts=tuple(verdicts))


def counted_anew(sql: Sql, plan: RevertPlan, touched: list[Tracked]) -> RevertPlan:
    """Return a plan with the numbers and rows that the working copies amount to by now."""
    return with_rows(sql, replace(plan, **_numbers(sql, touched)), touched)


def merge_copies(
    sql: Sql,
    changesets: Sequence[Changeset],
    *,
    scope: Scope,
    on_conflict: OnConflict,
    seen: Mapping[str, int] | None = None,
    progress: Progress = quiet,
) -> tuple[RevertPlan, list[Tracked]]:
    """Fill the working copies; return the plan without any rows, and the models that have one."""
    touched = _undo_all(sql, changesets, scope=scope, on_conflict=on_conflict, now=timezone.now(), progress=progress)
    progress("settle", 0)
    settle(sql, touched, seen=seen)
    numbers = _numbers(sql, touched)
    if not numbers["counts"] and not scope.is_everything:
        raise EmptyScope(f"{_names(changesets)} changed nothing in this scope, so there is nothing to revert.")
    plan = RevertPlan(
        changesets=tuple(changeset.pk for changeset in changesets),
        scope=scope,
        on_conflict=on_conflict,
        **numbers,
    )
    return plan, touched


def load_revertable(changesets: Sequence[Changeset | int]) -> list[Changeset]:
    """Return the changesets newest first, as they are in the database now; raises as `plan_revert` does."""
    wanted: list[int] = [changeset if isinstance(changeset, int) else changeset.pk for changeset in changesets]
    changesets_now: QuerySet[Changeset] = Changeset.objects.using("default").filter(pk__in=wanted).order_by("-pk")
    by_id = {changeset.pk: changeset for changeset in changesets_now}
    for pk in wanted:
        if pk not in by_id:
            raise UnknownChangeset(f"There is no changeset #{pk}: `python manage.py changesets list` shows them.")
    if not wanted:
        raise NothingToRevert("There is no changeset to revert.")
    refuse_unless_all_revertable(by_id.values())
    return list(by_id.values())


def refuse_unless_all_revertable(changesets: Collection[Changeset]) -> None:
    """Raise NothingToRevert with the reason when any of the changesets cannot be reverted together with the others."""
    among = [changeset.pk for changeset in changesets]
    for changeset in changesets:
        # What a chosen revert had reverted may be among the chosen: undone newest first, the two cancel out.
        reverted = changeset.pruned_at is None and changeset.status == Status.REVERTED
        if not (reverted and changeset.reverted_by.filter(pk__in=among).exists()):
            refuse_unless_revertable(changeset)


def refuse_unless_revertable(changeset: Changeset) -> None:
    """Raise NothingToRevert with the reason when the changeset cannot be reverted."""
    if changeset.status == Status.FAILED:
        raise NothingToRevert(f"{changeset} failed and changed nothing, so there is nothing to revert.")
    if changeset.kind == Kind.BASELINE:
        raise NothingToRevert(f"{changeset} only recorded what was there, so there is nothing to revert.")
    if changeset.pruned_at is not None:
        raise NothingToRevert(f"{changeset}'s history was pruned, so the values before it are no longer known.")
    if changeset.status == Status.REVERTED:
        by = changeset.reverted_by.filter(status=Status.APPLIED).order_by("-pk").first()
        raise NothingToRevert(
            f"{changeset} is reverted already" + (f", by #{by.pk}; to redo it, revert #{by.pk}." if by else ".")
        )


def check_scope(scope: Scope) -> None:
    """Raise EmptyScope with a sentence for a model or a field that does not exist."""
    for name in scope.models:
        if tracked_by_name(name) is None:
            raise EmptyScope(f"There is no model “{name}”: choose {', '.join(t.name for t in tracked_models())}.")
    chosen = [tracked for tracked in tracked_models() if not scope.models or tracked.label in scope.models]
    known = {name for tracked in chosen for f in tracked.model._meta.concrete_fields for name in (f.name, f.column)}
    for field in scope.fields:
        if field not in known:
            raise EmptyScope(f"There is no field “{field}” in {' or '.join(tracked.name for tracked in chosen)}.")


def newest_revertable(*, kind: str, model: str) -> Changeset | None:
    """Return the newest changeset of a kind that touched the model (a label) and is not reverted yet, or None."""
    candidates = Changeset.objects.using("default").filter(kind=kind, status=Status.APPLIED, pruned_at=None)
    return candidates.filter(counts__has_key=model).order_by("-pk").first()


def changesets_since(moment: datetime, *, kind: str | None = None) -> list[Changeset]:
    """Return the changesets made at or after `moment`, newest first: those of one kind not reverted yet, or all.

    Migrations and baselines are never among them. Of all kinds, reverts and what they reverted both count: undone
    newest first, they cancel out. Raises HistoryPruned when the state at the moment is not known any more.
    """
    since = Changeset.objects.using("default").filter(created_at__gte=moment).exclude(status=Status.FAILED)
    refuse_pruned(since)
    since = since.exclude(kind__in=[Kind.BASELINE, Kind.MIGRATION]).order_by("-pk")
    if kind is not None:
        since = since.filter(kind=kind, status__in=[Status.APPLIED, Status.PARTLY_REVERTED])
    return list(since)


def _undo_all(
    sql: Sql,
    changesets: Sequence[Changeset],
    *,
    scope: Scope,
    on_conflict: OnConflict,
    now: datetime,
    progress: Progress,
) -> list[Tracked]:
    """Take the changesets back, newest first, in working copies; return their models."""
    models = [tracked for tracked in tracked_models() if not scope.models or tracked.label in scope.models]
    touched: list[Tracked] = []
    done = 0
    for changeset in sorted(changesets, key=lambda changeset: -changeset.pk):
        for tracked in models:
            if changeset.counts is not None and tracked.label not in changeset.counts:
                continue
            if tracked not in touched:
                start_working_copy(sql, tracked)
                touched.append(tracked)
            done += undo_in_copy(sql, tracked, changeset.pk, scope=scope, on_conflict=on_conflict, now=now)
            progress("compare", done)
    touched.sort(key=tracked_models().index)
    return touched


def _numbers(sql: Sql, touched: list[Tracked]) -> dict[str, Any]:
    """Return how many objects each bucket has, what will be done to how many of each model, and to how many partly."""
    of_models = {tracked.label: _count(sql, tracked) for tracked in touched}
    counts = {str(bucket): number for bucket in Bucket if (number := sum(n[bucket] for n in of_models.values()))}
    models = {
        label: {operation: numbers[bucket] for bucket, operation in OPERATIONS.items()}
        for label, numbers in of_models.items()
        if any(numbers.values())
    }
    partly = sum(count_partly(sql, tracked) for tracked in touched) if counts.get(Bucket.KEPT) else 0
    return {"counts": counts, "models": models, "partly": partly}


def _count(sql: Sql, tracked: Tracked) -> dict[Bucket, int]:
    counts = dict.fromkeys(Bucket, 0)
    # The objects of each verdict.
    rows = copy_of(sql, tracked).rows(
        "SELECT w_verdict, count(*) FROM {working} WHERE w_verdict IS NOT NULL GROUP BY w_verdict"
    )
    for verdict, number in rows:
        counts[Bucket(verdict)] += number
    for bucket in (Bucket.KEPT, Bucket.ALREADY):
        counts[bucket] += count_in(sql, tracked, bucket)
    return counts


def _names(changesets: Sequence[Changeset]) -> str:
    return ", ".join(map(str, changesets)) if len(changesets) <= 3 else f"These {len(changesets)} changesets"
