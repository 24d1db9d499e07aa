"""Going back to an old version of an object: now and then field by field, and setting the fields that were chosen.

For an object that lives, what is set is what people may set, like an edit: the last values of upstream stay, so that
the next import treats the old values as corrections. An object that is gone comes back with key and every value.

A version is a row of history, or one that was never saved (without history_id): values that a backup kept.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from django.db import models

from apps.changesets.context import Source, changeset
from apps.changesets.errors import NothingToRestore, PlanMoved
from apps.changesets.history.diff import FieldChange, difference
from apps.changesets.history.recycle_bin import deleted_objects
from apps.changesets.history.stable_key import stable_key_of
from apps.changesets.models import Actor, Changeset, Kind
from apps.changesets.processes.locking import alone
from apps.changesets.revert.blocking import RULE, settle, verdicts_in
from apps.changesets.revert.matching import copy_of, working_table
from apps.changesets.revert.obstacles import Obstacle, obstacles_of
from apps.changesets.revert.run import write_copies
from apps.changesets.revert.verdicts import Bucket
from apps.changesets.revert.working import index_working_copy, start_working_copy
from apps.changesets.rights import Sees, all_seen
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked

# More rows than these are worth the indexes that finding clashes among them wants.
_FEW = 100


@dataclass(frozen=True)
class VersionPlan:
    """The fields that going back would set, with both values, and the obstacles.

    `seen` is the history_id of the object's newest row; `lives` is False for an object that is gone.
    """

    fields: tuple[FieldChange, ...]
    obstacles: tuple[Obstacle, ...]
    seen: int
    lives: bool


def plan_version(
    tracked: Tracked, version: Any, *, fields: Collection[str] | None = None, sees: Sees = all_seen
) -> VersionPlan:
    """Return what going back to the version would mean for the fields (None: all that differ)."""
    plan, _made = _plan(Sql(version._state.db), tracked, version, fields, sees)
    return plan


def go_back(
    tracked: Tracked,
    version: Any,
    *,
    fields: Collection[str],
    actor: Actor,
    reason: str,
    seen: int | None,
    source: Source | None = None,
) -> Changeset:
    """Give the object the version's values of these fields, as one changeset of kind restore (from a file: `source`).

    Raises PlanMoved when the object's newest history row is not `seen` any more (None: whichever it is), and
    NothingToRestore when no field differs or something stands in the way. Nothing is done by half.
    """
    sql = Sql(version._state.db)
    with (
        changeset(kind=Kind.RESTORE, actor=actor, reason=reason, source=source, using=sql.using) as opened,
        alone(opened, using=sql.using),
    ):
        plan, touched = _plan(sql, tracked, version, fields)
        if seen is not None and plan.seen != seen:
            raise PlanMoved("somebody changed it since you opened this page")
        if plan.obstacles:
            raise NothingToRestore(f"Nothing was restored: {'; '.join(obstacle.why for obstacle in plan.obstacles)}.")
        if not touched:
            why = "None of the chosen fields differs from that version" if fields else "No field is ticked"
            raise NothingToRestore(f"{why}: nothing was restored.")
        if write_copies(sql, touched):
            raise NothingToRestore(f"Nothing was restored: {_rules_broken(sql, tracked)}.")
        opened.summary = {"version": {"row": version.history_id, "fields": sorted(fields)}}
    return opened


def recreate(tracked: Tracked, versions: Collection[Any], *, using: str = "default") -> None:
    """Bring objects that are gone back as these versions have them, in the changeset that is open.

    Raises NothingToRestore when something stands in the way of one of them.
    """
    sql = Sql(using)
    start_working_copy(sql, tracked)
    _put_in_copy(sql, tracked, versions)
    settle(sql, [tracked])
    if Bucket.BLOCKED in verdicts_in(sql, tracked):
        names = tracked.model._meta.verbose_name_plural
        raise NothingToRestore(
            f"Nothing was restored: some of the {names} that would come back have values that others have now, or "
            "point to what is gone. Restore without them, or mend that first."
        )
    if write_copies(sql, [tracked]):
        raise NothingToRestore(f"Nothing was restored: {_rules_broken(sql, tracked)}.")


def _rules_broken(sql: Sql, tracked: Tracked) -> str:
    """Return what the database refused, in words."""
    causes = copy_of(sql, tracked).firsts("SELECT DISTINCT w_cause FROM {working} WHERE w_why = %s", [RULE])
    return f"blocked by {', '.join(causes)}"


def living(tracked: Tracked, version: Any) -> models.Model | None:
    """Return the object of this version as it is now, under whatever key, or None when it is gone."""
    rows = tracked.model._base_manager.using(version._state.db)
    stable = stable_key_of(tracked, version)
    if tracked.stable_field is not None and stable is not None:
        obj = rows.filter(**{tracked.stable_field.attname: stable}).first()
        if obj is not None:
            return obj
    same_key = rows.filter(pk=getattr(version, tracked.model._meta.pk.attname)).first()
    if same_key is None or stable is None or stable_key_of(tracked, same_key) is None:
        return same_key
    return None  # Another object has this key by now.


def _plan(
    sql: Sql, tracked: Tracked, version: Any, chosen: Collection[str] | None, sees: Sees = all_seen
) -> tuple[VersionPlan, list[Tracked]]:
    now = living(tracked, version)
    newest = _newest_row(tracked, version, now)
    change = difference(tracked, newest if now is not None else None, version, using=sql.using, sees=sees)
    fields = tuple(field for field in change.fields if not field.derived)
    wanted = {field.name for field in fields if chosen is None or field.name in chosen or now is None}
    plan = VersionPlan(fields, (), newest.history_id or 0, now is not None)
    if not wanted:
        return plan, []
    would_be = version if now is None else _as_it_would_be(now, version, wanted)
    start_working_copy(sql, tracked)
    _put_in_copy(sql, tracked, [would_be], live=None if now is None else now.pk)
    settle(sql, [tracked])
    if Bucket.BLOCKED not in verdicts_in(sql, tracked):
        return plan, [tracked]
    return replace(plan, obstacles=obstacles_of(sql, tracked, [would_be], sees=sees)[0]), []


def _as_it_would_be(now: models.Model, version: Any, wanted: Collection[str]) -> Any:
    """Return a copy of the object with the version's values, and what follows from them (search_name, time stamps)."""
    would_be: Any = type(now)(**{field.attname: getattr(now, field.attname) for field in now._meta.concrete_fields})
    would_be.own_key = now.pk
    for field in now._meta.concrete_fields:
        if field.name in wanted:
            setattr(would_be, field.attname, getattr(version, field.attname))
    for field in now._meta.concrete_fields:
        if not field.primary_key:
            field.pre_save(would_be, add=False)
    return would_be


def _put_in_copy(sql: Sql, tracked: Tracked, would_be: Collection[Any], *, live: Any = None) -> None:
    """Put objects as they would be into the working copy: one in place of the live row, or some that come back."""
    fields = tracked.model._meta.concrete_fields
    if live is not None:
        live = tracked.model._meta.pk.get_db_prep_save(live, sql.connection)
    head = [live, None if live is not None else Bucket.RECREATED]
    rows = [
        head + [field.get_db_prep_save(getattr(obj, field.attname), sql.connection) for field in fields]
        for obj in would_be
    ]
    copy_of(sql, tracked).run_many(
        "INSERT INTO {working} (w_present, w_live, w_verdict, {columns}) VALUES (TRUE, {marks})",
        rows,
        marks=sql.marks(rows[0]) if rows else "",
    )
    if len(rows) > _FEW:
        index_working_copy(sql, tracked)
        for unique in tracked.unique_sets:
            sql.index_temp(working_table(tracked), unique)


def _newest_row(tracked: Tracked, version: Any, now: models.Model | None) -> Any:
    """Return the newest history row of the object: its last change, or its deletion."""
    history = tracked.history_model._base_manager.using(version._state.db).order_by("-history_id")
    attname = tracked.model._meta.pk.attname
    if now is not None:
        return history.filter(**{attname: now.pk}).first()
    stable = stable_key_of(tracked, version)
    gone = deleted_objects(tracked, using=version._state.db)
    if tracked.stable_field is not None and stable is not None:
        gone = gone.filter(**{tracked.stable_field.attname: stable})
    else:
        gone = gone.filter(**{attname: getattr(version, attname)})
    return gone.first() or version
