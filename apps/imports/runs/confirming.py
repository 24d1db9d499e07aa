"""Who may confirm a plan, and doing it (a stand-in until the worker's module is merged)."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import get_permission_codename
from django.utils import timezone

from apps.imports.errors import RunRefused
from apps.imports.models import OPEN, ImportRun, RunStatus
from apps.imports.registry import spec_named


def may_see(user: Any, run: ImportRun) -> str:
    """Return why the person may not see the run; empty when they may."""
    own = run.actor_id is not None and run.actor_id == user.pk
    return "" if own or user.has_perm("imports.view_importrun") else "You need the permission to view imports."


def may_decide(user: Any, run: ImportRun) -> str:
    """Return why the person may not change anything about the run; empty when they may."""
    opts = spec_named(run.spec).model._meta
    if not user.has_perm(f"{opts.app_label}.{get_permission_codename('import', opts)}"):
        return f"To import {opts.verbose_name_plural} you need the permission to."
    if run.actor_id != user.pk and not user.has_perm("imports.approve_importrun"):
        return "Only the person who uploaded the file, or somebody who may approve imports, can do that."
    return ""


def may_confirm(user: Any, run: ImportRun) -> str:
    """Return why the person may not confirm the plan; empty when they may."""
    counts = run.counts or {}
    above = settings.IMPORTS_SECOND_PERSON_ABOVE
    number = sum(counts.get(name, 0) for name in ("created", "updated", "missing_to_change"))
    if (why := may_decide(user, run)) or above is None or number <= above:
        return why
    if run.actor_id == user.pk:
        return f"More than {above:,} objects would change: somebody else who may approve imports has to confirm it."
    return ""


def confirm_run(
    run: ImportRun, *, actor: Any, sha256: str, reason: str | None = None, start_at: datetime | None = None
) -> ImportRun:
    """Confirm a plan as it was seen; raises RunRefused."""
    if why := may_confirm(actor, run):
        raise RunRefused(why)
    if sha256 != run.file_sha256:
        raise RunRefused("The plan that you saw was of another file: look at this one, then confirm it.")
    values = {
        "status": RunStatus.APPROVED,
        "confirmed_by": actor,
        "confirmed_by_name": actor.get_username(),
        "confirmed_at": timezone.now(),
        "start_at": start_at,
        "reason": run.reason if reason is None else reason,
    }
    if not ImportRun.objects.filter(pk=run.pk, status=RunStatus.PLANNED).update(**values):
        raise RunRefused(f"{run} is not waiting to be confirmed any more.")
    run.refresh_from_db()
    return run


def cancel_run(run: ImportRun, *, actor: Any) -> ImportRun:
    """Cancel a run that has not ended; raises RunRefused."""
    if why := may_decide(actor, run):
        raise RunRefused(why)
    if not ImportRun.objects.filter(pk=run.pk, status__in=OPEN).update(
        status=RunStatus.CANCELLED, lock=None, finished_at=timezone.now()
    ):
        raise RunRefused(f"{run} has ended: there is nothing to cancel.")
    run.refresh_from_db()
    return run


def start_again(run: ImportRun, *, actor: Any) -> ImportRun:
    """Put a failed or cancelled run back to the start; raises RunRefused."""
    if why := may_decide(actor, run):
        raise RunRefused(why)
    ended = (RunStatus.FAILED, RunStatus.CANCELLED)
    if not ImportRun.objects.filter(pk=run.pk, status__in=ended).update(
        status=RunStatus.UPLOADED, error="", finished_at=None
    ):
        raise RunRefused(f"{run} has not failed: there is nothing to start again.")
    run.refresh_from_db()
    return run
