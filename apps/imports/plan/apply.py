"""Applying: one transaction and one changeset in which the planned rows are written; the database records history."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

from django.db import DatabaseError

from apps.changesets.context import Source, changeset
from apps.changesets.history.cursors import Cursor, knows_all
from apps.changesets.models import Actor, Changeset, Kind
from apps.changesets.processes.locking import again_once, alone, patience
from apps.changesets.tracking import tracked_for
from apps.imports.errors import PlanIsGone
from apps.imports.plan.checks import beyond_limits, require_within_limits
from apps.imports.plan.complete import complete
from apps.imports.plan.moved import skip_blocked, skip_moved
from apps.imports.plan.plan import count_objects
from apps.imports.plan.write import write
from apps.imports.results import FileIdentity, LeftAlone, source_title
from apps.imports.staging.tables import Staging

# An import waits this long for others who write, then it has failed and wrote nothing.
PATIENCE_SECONDS = 120
# How many skipped rows a changeset remembers.
_REMEMBERED = 100


class Plan(Protocol):
    """What is applied: a plan that was just made, or one that was stored."""

    staging: Staging

    @property
    def planned_at(self) -> datetime:
        """When it was made."""

    @property
    def file(self) -> FileIdentity:
        """The imported file."""

    @property
    def seen(self) -> Cursor | None:
        """The history that was there before the plan was made; None where that is not known."""

    @property
    def past_limits(self) -> bool:
        """Whether a person chose to pass the limits of the settings."""

    @property
    def to_write(self) -> int:
        """How many objects applying it would create, change or remove."""

    def figures(self) -> dict[str, Any]:
        """Return what the changeset remembers, the counts among it."""

    def require_within_limits(self) -> None:
        """Raise MissingAboveLimit or BeyondLimits when the plan goes past a limit."""

    def discard(self) -> None:
        """Forget the staged rows."""


@dataclass(frozen=True)
class Done:
    """What applying did: the counts of it, and the rows that it skipped."""

    counts: dict[str, int]
    left_alone: Sequence[LeftAlone] = ()

    def as_json(self) -> dict[str, Any]:
        """Return what a changeset, or a run, remembers of it."""
        return {"counts": self.counts, "left_alone": [asdict(row) for row in self.left_alone[:_REMEMBERED]]}


# Called inside the transaction with what was done, and the changeset; None where nothing was to be written.
Settle = Callable[[Done, Changeset | None], None]


def apply_import(plan: Plan, *, actor: Actor, reason: str = "", settle: Settle | None = None) -> Changeset | None:
    """Write the rows of `plan` in one changeset, whose summary has the counts; None when nothing changes.

    Rows whose object changed after the plan was made are skipped and listed. The staged rows of the plan are removed
    in any case. Raises PlanIsGone when they were removed before, MissingAboveLimit
    when the file lacks more objects than may go, BeyondLimits when a limit of the settings is passed.
    """
    staging, settle = plan.staging, settle or (lambda done, opened: None)
    if staging.discarded:
        raise PlanIsGone("The staged rows of this plan are gone: plan the import again.")
    try:
        plan.require_within_limits()
        if not plan.to_write:
            settle(Done(plan.figures()["counts"]), None)
            return None
        title = source_title(staging.options, plan.file.name)
        source = Source(name=plan.file.name, sha256=plan.file.sha256, size=plan.file.size, title=title)
        using = staging.connection.alias

        def attempt(remarks: dict[str, bool]) -> Changeset | None:
            staging.progress("lock", 0)
            with (
                changeset(kind=Kind.IMPORT, actor=actor, reason=reason, source=source, using=using) as opened,
                alone(opened, using=using),
            ):
                done = _write_planned(plan)
                opened.summary = {**plan.figures(), **done.as_json(), **remarks}
                settle(done, opened)
            return opened if opened.pk else None

        with patience(PATIENCE_SECONDS, using=using):
            return again_once(attempt, using=using)
    finally:
        plan.discard()


def _write_planned(plan: Plan) -> Done:
    staging, counts = plan.staging, plan.figures()["counts"]
    try:
        staging.progress("check", 0)
        same = _is_unchanged(plan)
        left_alone = skip_moved(staging, plan.planned_at, same=same)
        if left_alone or not same:
            left_alone += skip_blocked(staging)
            complete(staging)
            links = staging.spec.linker.plan(staging) if staging.spec.linker else {}
            require_within_limits(beyond_limits(staging), past=plan.past_limits)
            counts = _recount(staging, counts) | links | {"left_alone": len(left_alone)}
        write(staging)
        staging.progress("record", 0)
    except DatabaseError:
        # A statement that was interrupted by a cancellation raises RunCancelled here instead.
        staging.progress("stop", 0)
        raise
    return Done(counts, left_alone)


def _is_unchanged(plan: Plan) -> bool:
    """Whether nothing was written, after the plan was made, to the tables that it reads."""
    seen, staging = plan.seen, plan.staging
    return seen is not None and all(knows_all(staging, tracked_for(model), seen) for model in staging.spec.watched)


def _recount(staging: Staging, counts: dict[str, int]) -> dict[str, int]:
    """Return the counts of what is written; planned rows that are not written count as skipped."""
    objects = count_objects(staging)
    less = counts["created"] + counts["updated"] - objects["created"] - objects["updated"]
    return {**counts, **objects, "skipped": counts["skipped"] + less}
