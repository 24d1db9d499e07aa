"""Applying a revert: the merge is made again under lock, and the rows that differ are written in sets."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from apps.changesets.context import changeset
from apps.changesets.errors import RevertConflict
from apps.changesets.models import Actor, Changeset, Kind, Status
from apps.changesets.processes.locking import again_once, alone, patience
from apps.changesets.processes.progress import Progress, quiet
from apps.changesets.recording import BY_SET
from apps.changesets.revert.blocking import verdicts_in
from apps.changesets.revert.matching import copy_of
from apps.changesets.revert.plan import check_scope, counted_anew, load_revertable, merge
from apps.changesets.revert.refused import write_or_block
from apps.changesets.revert.verdicts import Bucket, OnConflict, RevertPlan, Scope
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked

# A revert waits this long for others who write, then it is refused as Busy.
PATIENCE_SECONDS = 20


def revert(
    plan: RevertPlan,
    *,
    actor: Actor,
    reason: str = "",
    on_conflict: str | None = None,
    seen: Mapping[str, int] | None = None,
) -> Changeset | None:
    """Revert the plan's changesets, all or nothing; return the new changeset, or None when nothing had to change.

    The merge is made again inside the transaction, so a value that changed after the plan was made is kept; `seen`
    (see `newest_seen`) also keeps rows that were written after the plan was shown. Raises what `plan_revert` raises,
    Busy, and with policy abort RevertConflict when something would be kept or blocked.
    """
    made, _done = carry_out(
        plan.changesets,
        scope=plan.scope,
        on_conflict=on_conflict or plan.on_conflict,
        actor=actor,
        reason=reason,
        seen=seen,
    )
    return made


def carry_out(
    changesets: Sequence[Changeset | int],
    *,
    scope: Scope,
    on_conflict: str,
    actor: Actor,
    reason: str = "",
    seen: Mapping[str, int] | None = None,
    progress: Progress = quiet,
) -> tuple[Changeset | None, RevertPlan]:
    """Revert without a plan made before; return the new changeset as `revert` does, and what was done."""
    check_scope(scope)

    def attempt(remarks: dict[str, bool]) -> tuple[Changeset | None, RevertPlan]:
        sql = Sql()
        with changeset(kind=Kind.REVERT, actor=actor, reason=reason) as opened, alone(opened):
            targets = load_revertable(changesets)
            policy = OnConflict(on_conflict)
            done, touched = merge(sql, targets, scope=scope, on_conflict=policy, seen=seen, progress=progress)
            if done.on_conflict == OnConflict.ABORT and done.left_alone:
                raise RevertConflict(_in_the_way(done))
            progress("write", 0)
            if write_copies(sql, touched):
                done = counted_anew(sql, done, touched)
                if done.on_conflict == OnConflict.ABORT:
                    raise RevertConflict(_in_the_way(done))
            progress("record", 0)
            opened.reverts.set(targets)
            opened.summary = summary_of(done) | remarks
            _mark(targets, done)
        return (opened if opened.pk else None), done

    with patience(PATIENCE_SECONDS):
        return again_once(attempt)


def summary_of(done: RevertPlan) -> dict[str, Any]:
    """Return what a revert's changeset keeps of it: numbers by bucket, what was left alone, the scope, the policy."""
    return {
        "revert": done.counts,
        **({"partly": done.partly} if done.partly else {}),
        "left_alone": [asdict(v) for v in done.verdicts if v.bucket in (Bucket.KEPT, Bucket.BLOCKED)],
        "scope": {name: list(chosen) for name, chosen in asdict(done.scope).items() if chosen},
        "on_conflict": str(done.on_conflict),
    }


def write_copies(sql: Sql, touched: list[Tracked]) -> bool:
    """Write what the settled working copies say; return whether rows were blocked because the database refused them."""
    return write_or_block(sql, touched, _write_copies)


def _write_copies(sql: Sql, touched: list[Tracked]) -> None:
    """Write first everything that goes, then what comes, then what changes.

    Foreign keys are checked at commit. A row whose primary key changes, or whose new unique value another row still
    has, is taken out and put in again, so that values can swap and move in chains.
    """
    for tracked in touched:
        if Bucket.RESTORED in verdicts_in(sql, tracked):
            _mark_movers(sql, tracked)
    for tracked in reversed(touched):
        # What goes, and what is put in again.
        copy_of(sql, tracked).run(
            """
            DELETE FROM {live} WHERE {pk} IN (SELECT w_live FROM {working} WHERE w_verdict = {deleted} OR w_mover)
            """
        )
    for tracked in touched:
        _insert(sql, tracked)
        _update(sql, tracked)


def _mark_movers(sql: Sql, tracked: Tracked) -> None:
    copy = copy_of(sql, tracked)
    moves = [copy.fill("w.{pk} <> w.w_live")]
    moves += [
        copy.fill(
            "EXISTS (SELECT 1 FROM {live} l WHERE {same} AND l.{pk} <> w.w_live)", same=sql.same(columns, "l", "w")
        )
        for columns in [*tracked.unique_sets[1:], *(columns for columns, _condition in tracked.conditional_sets)]
    ]
    # Rows whose primary key changes, or whose new unique value another live row has still.
    copy.run(
        "UPDATE {working} AS w SET w_mover = TRUE WHERE w.w_verdict = {restored} AND ({moves})",
        moves=" OR ".join(moves),
    )


def _insert(sql: Sql, tracked: Tracked) -> None:
    copy = copy_of(sql, tracked)
    # What comes back, and what was taken out to be put in again.
    rows = copy.run(
        """
        INSERT INTO {live} ({columns}) SELECT {columns} FROM {working} WHERE w_verdict = {recreated} OR w_mover
        """
    )
    field = tracked.model._meta.pk
    if rows and sql.postgresql and field.get_internal_type().endswith("AutoField"):
        # Rows that come back bring their own keys; the sequence must never hand one of them out again.
        copy.run(
            "SELECT setval({sequence}, greatest((SELECT max({pk}) FROM {live}), nextval({sequence}) - 1))",
            sequence=copy.fill("pg_get_serial_sequence('{live}', '{column}')", column=tracked.pk),
        )


def _update(sql: Sql, tracked: Tracked) -> None:
    values = [column for column in tracked.columns if column != tracked.pk]
    # What changes, and stays under its key.
    copy_of(sql, tracked).run(
        """{by_set}
        UPDATE {live} SET {taken} FROM {working} w
        WHERE {live}.{pk} = w.w_live AND w.w_verdict = {restored} AND w.w_mover IS NULL
        """,
        by_set=BY_SET,
        taken=sql.taken(values, of="w"),
    )


def _mark(targets: list[Changeset], done: RevertPlan) -> None:
    """Set the status of the reverted changesets, and of those that a reverted revert had reverted."""
    whole = done.scope.is_everything and not done.left_alone
    if not (whole or done.writes):
        return
    for target in targets:
        target.status = Status.REVERTED if whole else Status.PARTLY_REVERTED
        target.save(update_fields=["status"])
        if target.kind == Kind.REVERT and whole:
            for stands_again in target.reverts.exclude(pk__in=[reverted.pk for reverted in targets]):
                reverted_elsewhere = stands_again.reverted_by.filter(status=Status.APPLIED).exists()
                stands_again.status = Status.PARTLY_REVERTED if reverted_elsewhere else Status.APPLIED
                stands_again.save(update_fields=["status"])


def _in_the_way(done: RevertPlan) -> str:
    first = next(verdict for verdict in done.verdicts if verdict.bucket in (Bucket.KEPT, Bucket.BLOCKED))
    return (
        f"Nothing was reverted: {done.left_alone:,} objects would be left alone, the first is {first.model} "
        f"{first.pk} ({first.sentence}). Choose keep to revert the rest, or force to overwrite."
    )
