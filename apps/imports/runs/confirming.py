"""What people decide about a run: confirming it, cancelling it, starting it again; and who may."""

from contextlib import AbstractContextManager, nullcontext
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from apps.changesets.errors import NotPermitted, PlanMoved
from apps.changesets.models import Actor, Visitor
from apps.changesets.processes.locking import patience
from apps.changesets.processes.watched import ask_to_stop, forget
from apps.changesets.rights import Need, may, may_view, why_not, within_rights
from apps.changesets.text import counted
from apps.imports.errors import RunRefused
from apps.imports.models import BUSY, ImportRun, RunStatus
from apps.imports.registry import spec_named
from apps.imports.results import ImportOptions
from apps.imports.runs.amounts import why_not_open
from apps.imports.runs.lease import fail_dead_runs
from apps.imports.runs.schema import why_not_this_plan
from apps.imports.runs.states import above_limit_as_decided, changed_rows, log_end

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
    model = spec_named(run.spec).model
    if not may_import(user, model):
        verb = "view" if may(user, "import", model) else "import"
        return f"You need the permission to {verb} {model._meta.verbose_name_plural}."
    if run.actor_id != user.pk and not user.has_perm("imports.approve_importrun"):
        return "Only the person who uploaded the file, or somebody who may approve imports, can do that."
    return None


def may_import(user: Visitor, model: type[Model]) -> bool:
    """Whether the person may import objects of the model: whoever compares a file with them sees them."""
    return may(user, "import", model) and may_view(user, model)


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
    return above_limit_as_decided(run) or why_not(user, _further_needs(run))


def within_rights_of(run: ImportRun) -> AbstractContextManager[None]:
    """Bound what applying the run writes by the rights of the person who confirmed it, as they are now.

    The permission to import gives writing rows of the imported model. Raises NotPermitted where the person is gone, or
    may not confirm it any more. A run of a command has nobody to ask.
    """
    user = run.confirmed_by
    if user is None and run.confirmed_by_name:
        raise NotPermitted(
            f"{run.confirmed_by_name}, who confirmed this, has no account any more. Nothing was imported."
        )
    if user is None:
        return nullcontext()
    if why := why_not_decide(user, run) or why_not(user, _further_needs(run)):
        raise NotPermitted(f"{user.get_username()}, who confirmed this, may not do that any more. {why}")
    model = spec_named(run.spec).model
    return within_rights(user, given=[(model, verb) for verb in ("add", "change", "delete")])


def _further_needs(run: ImportRun) -> set[Need]:
    """Return what applying the run takes besides importing: objects made to link to, deletions that were asked for."""
    spec, counts = spec_named(run.spec), run.counts or {}
    linked = spec.linker.models if spec.linker else ()
    needs = {(model, "add") for model in linked if counts.get(f"{model._meta.verbose_name_plural}_created")}
    deletes = ImportOptions.from_json(run.options).missing == "delete" and counts.get("missing_to_change")
    return needs | ({(spec.model, "delete")} if deletes else set())


def why_not_start_again(run: ImportRun) -> str | None:
    """Return why nobody can plan the file of the run again, or None."""
    if run.command:
        return f"{run} was started by the command {run.command}: run the command again."
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
        raise PlanMoved("it was made again, or rows were decided about, since then")
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
    the run. One whose worker has gone comes back failed. Raises RunRefused when the run is over: when it was applied,
    its changeset is what to revert; and Busy when another run writes for long.
    """
    dead = fail_dead_runs()
    run.refresh_from_db()
    if actor is not None:
        require(why_not_decide(actor, run))
    if run in dead:
        return run
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

    Raises RunRefused when it is neither, when its file is gone, when a command made it, or when the person has as many
    open runs as one may have.
    """
    fail_dead_runs()
    run.refresh_from_db()
    require(why_not_decide(actor, run))
    require(why_not_start_again(run))
    require(why_not_open(run.actor, again=run))
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
