"""What a worker does with a stored plan: how far it is, and the button that stops it, for the person whose it is."""

import time
from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse

from apps.changesets.acts.actor import actor_of
from apps.changesets.acts.methods import DOES, READS, show_page, turned_away
from apps.changesets.models import PlanWork, StoredPlan
from apps.changesets.pages import links
from apps.changesets.pages.watching import GONE, NO_WORKER, PATIENCE_SECONDS, WORKER_GONE, shown
from apps.changesets.processes.watched import progress_of
from apps.changesets.revert.apart import BUSY, OVER, WAITING, is_dead, key_of, stop


def work_page(model_admin: admin.ModelAdmin[Any], request: HttpRequest, pk: int) -> HttpResponse:
    """Show how far the worker is; once it is over, lead to the plan, or to what was done."""
    if (refused := _turned_away(request, READS)) is not None:
        return refused
    plan = _own(request, pk)
    over = plan.work in OVER
    failed = plan.work in (PlanWork.FAILED, PlanWork.CANCELLED)
    if over and not failed:
        return HttpResponseRedirect(_next(plan))
    context = {
        "title": "Planning a revert" if plan.work in (PlanWork.TO_PLAN, PlanWork.PLANNING) else "Reverting",
        "plan": plan,
        "failed": failed,
        "progress": _state(plan),
        "progress_url": links.plan_work_url(plan.pk, "progress"),
        "stop_url": links.plan_work_url(plan.pk, "stop"),
    }
    return show_page(model_admin, request, "admin/acts/under_way.html", context)


def progress_view(model_admin: admin.ModelAdmin[Any], request: HttpRequest, pk: int) -> HttpResponse:
    """Return how far it is, for the script of the page."""
    return _turned_away(request, READS) or JsonResponse(_state(_own(request, pk)))


def stop_view(model_admin: admin.ModelAdmin[Any], request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel it, or ask the worker to stop."""
    if (refused := _turned_away(request, DOES)) is not None:
        return refused
    plan = _own(request, pk)
    stop(plan)
    return HttpResponseRedirect(links.plan_work_url(plan.pk))


def _turned_away(request: HttpRequest, methods: tuple[str, ...]) -> HttpResponse | None:
    return turned_away(request, methods, may=request.user.has_perm(links.REVERT))


def _own(request: HttpRequest, pk: int) -> StoredPlan:
    plan: StoredPlan | None = StoredPlan.objects.using("default").filter(pk=pk, actor=actor_of(request)).first()
    if plan is None:
        raise Http404("There is no such plan: it was made more than a day ago, or for somebody else.")
    return plan


def _state(plan: StoredPlan) -> dict[str, Any]:
    gone = is_dead(plan)
    waits = plan.work in WAITING and plan.begun_at is not None
    late = waits and plan.begun_at is not None and time.time() - plan.begun_at.timestamp() > PATIENCE_SECONDS
    snapshot = progress_of(key_of(plan)) if plan.work in BUSY else None
    return {
        # The page opens itself anew when this changes.
        "status": GONE if gone else plan.work,
        **shown(snapshot, waiting=str(plan.get_work_display())),
        "next": _next(plan) if plan.work in (PlanWork.NONE, PlanWork.APPLIED) else "",
        "warning": WORKER_GONE if gone else NO_WORKER if late else "",
    }


def _next(plan: StoredPlan) -> str:
    """Return where its end leads: to what was done, or to the plan."""
    return links.changeset_url(plan.changeset_id) if plan.changeset_id else plan.address or links.changesets_url()
