"""What people decide about a run: confirming it, cancelling it, starting it again; and who may."""

from datetime import datetime

from django.conf import settings
from django.contrib.auth import get_permission_codename
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from apps.changesets.errors import PlanMoved
from apps.changesets.models import Actor, Visitor
from apps.changesets.processes.locking import patience
from apps.changesets.text import counted
from apps.imports.errors import RunRefused
from apps.imports.models import BUSY, ImportRun, RunStatus
from apps.imports.registry import spec_named
from apps.imports.runs.lease import fail_dead_runs
from apps.imports.runs.progress import ask_to_stop, forget
from apps.imports.runs.schema import why_not_this_plan
from apps.imports.runs.states import changed_rows, log_end

_WAITING = (RunStatus.UPLOADED, RunStatus.PLANNED, RunStatus.APPROVED)
_ENDED = (RunStatus.FAILED, RunStatus.CANCELLED)
_PATIENCE_SECONDS = 5
_NOTHING = dict.fromkeys(("counts", "summary", "changeset", "confirmed_by", "confirmed_at"))
_NO_TIMES = dict.fromkeys(("start_at", "started_at", "finished_at"))
_FRESH = {"status": RunStatus.UPLOADED, "error": "", "confirmed_by_name": "", **_NOTHING, **_NO_TIMES}


def why_not_see(user: Visitor, run: ImportRun) -> str | None:
    """Return why the person may not see the run, or None."""
    own = run.actor_id is not None and run.actor_id == user.pk
    return None if own or user.has_perm("imports.view_importrun") else "You need the permission to view imports."


def why_not_decide(user: Visitor, run: ImportRun) -> str | None:
    """Return why the person may not decide anything about the run, cancelling included, or None."""
    opts = spec_named(run.spec).model._meta
    if not user.has_perm(f"{opts.app_label}.{get_permission_codename('import', opts)}"):
        return f"You need the permission to import {opts.verbose_name_plural}."
    if run.actor_id != user.pk and not user.has_perm("imports.approve_importrun"):
        return "Only the person who uploaded the file, or somebody who may approve imports, can do that."
    return None


def may_decide(user: Visitor, run: ImportRun) -> bool:
    """Whether the person may decide about the run."""
    return why_not_decide(user, run) is None


def why_not_confirm(user: Visitor, run: ImportRun) -> str | None:
    """Return why the person may not confirm the plan, or nobody may; None when they may.

    Where IMPORTS_SECOND_PERSON_ABOVE is set and more rows would change, nobody confirms what they uploaded themselves.
    """
    if why := why_not_decide(user, run):
        return why
    above = settings.IMPORTS_SECOND_PERSON_ABOVE
    if above is not None and run.actor_id == user.pk and changed_rows(run) > above:
        rows = counted(above, "row")
        return f"More than {rows} would change: somebody else who may approve imports has to confirm this."
    if run.status == RunStatus.PLANNED and (why := why_not_this_plan(run)):
        return why
    return (run.summary or {}).get("missing_above_limit") or None


def why_not_start_again(run: ImportRun) -> str | None:
    """Return why nobody can plan the file of the run again, or None."""
    if run.command:
        return f"{run} was started by the command {run.command}: run that again."
    return None if run.kept_as else f"{run.file_name} is not kept any more: upload it again."


def why_not_pass_limits(user: Visitor) -> str | None:
    """Return why the person may not go past the limits of the settings, or None."""
    return (
        None if user.has_perm("imports.approve_importrun") else "Only somebody who may approve imports goes past that."
    )


def mark_of(run: ImportRun) -> str:
    """Return a value that identifies the plan of a run: its file, when it was made, and the number of decisions."""
    summary = run.summary or {}
    return f"{run.file_sha256} {summary.get('planned_at', '')} {summary.get('decisions', 0)}"


@transaction.atomic
def confirm_run(
    run: ImportRun,
    *,
    actor: User,
    seen: str,
    reason: str | None = None,
    start_at: datetime | None = None,
    past_limits: bool = False,
) -> ImportRun:
    """Confirm the plan of a run and return the run; `start_applying` starts it, not before `start_at`.

    `seen` is the mark of the plan that the person saw. With `past_limits` the limits of the settings do not stop it, if
    the person may approve imports. Raises RunRefused with the reason why not, and PlanMoved for another plan than that.
    """
    run.refresh_from_db(from_queryset=ImportRun.objects.select_for_update(of=("self",)))
    require(why_not_confirm(actor, run))
    summary = run.summary or {}
    if summary.get("beyond_limits"):
        require(None if past_limits else f"{' '.join(summary['beyond_limits'])} Nothing was imported.")
        require(why_not_pass_limits(actor))
        summary = {**summary, "past_limits": actor.get_username()}
    if run.status == RunStatus.PLANNED and seen != mark_of(run):
        raise PlanMoved("it was made anew, or decided about, since")
    reason = run.reason if reason is None else reason.strip()
    if not reason:
        raise RunRefused("Say why: an import needs a reason.")
    if start_at is not None and timezone.is_naive(start_at):
        start_at = timezone.make_aware(start_at)
    changed = ImportRun.objects.filter(pk=run.pk, status=RunStatus.PLANNED).update(
        status=RunStatus.APPROVED,
        confirmed_by=actor,
        confirmed_by_name=actor.get_username(),
        confirmed_at=timezone.now(),
        start_at=start_at,
        reason=reason,
        summary=summary,
    )
    run.refresh_from_db()
    if not changed:
        raise RunRefused(f"{run} is {_status(run)}: there is no plan to confirm.")
    forget(run.pk)
    return run


def cancel_run(run: ImportRun, *, actor: Actor) -> ImportRun:
    """Cancel a run that waits, or ask its worker to stop; a worker stops within seconds, and the run is cancelled then.

    `actor` is None for somebody at the command line. Nothing is written to the database while a worker is busy with
    the run. Raises RunRefused when the run is over: when it was applied, its changeset is what to revert; and Busy when
    another run writes for long.
    """
    fail_dead_runs()
    run.refresh_from_db()
    if actor is not None:
        require(why_not_decide(actor, run))
    if run.status in _WAITING:
        who = actor.get_username() if actor is not None else "somebody at the command line"
        cancelled = {"status": RunStatus.CANCELLED, "error": f"Cancelled by {who}.", "lock": None}
        with patience(_PATIENCE_SECONDS):
            ImportRun.objects.filter(pk=run.pk, status__in=_WAITING).update(**cancelled, finished_at=timezone.now())
        run.refresh_from_db()
        if run.status == RunStatus.CANCELLED:
            log_end(run, "cancelled")
            return run
    if run.status in BUSY:
        ask_to_stop(run.pk)
        return run
    raise RunRefused(_too_late(run))


def start_again(run: ImportRun, *, actor: User) -> ImportRun:
    """Put a failed or cancelled run back to the start and return it; `start_planning` plans it then.

    Raises RunRefused when it is neither, when its file is gone, or when a command made it.
    """
    fail_dead_runs()
    run.refresh_from_db()
    require(why_not_decide(actor, run))
    require(why_not_start_again(run))
    changed = ImportRun.objects.filter(pk=run.pk, status__in=_ENDED).update(**_FRESH)
    run.refresh_from_db()
    if not changed:
        raise RunRefused(f"{run} is {_status(run)}: only a failed or cancelled import is started again.")
    forget(run.pk)
    return run


def require(why_not: str | None) -> None:
    """Raise RunRefused with this reason, if there is one."""
    if why_not is not None:
        raise RunRefused(why_not)


def _status(run: ImportRun) -> str:
    return run.get_status_display().lower()


def _too_late(run: ImportRun) -> str:
    if run.status != RunStatus.APPLIED:
        return f"{run} is {_status(run)} already: there is nothing to cancel."
    if run.changeset_id is None:
        return f"{run} was applied already, and changed nothing."
    return f"{run} was applied already: revert changeset {run.changeset_id} to take it back."
