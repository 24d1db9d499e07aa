"""The recycle bin: what is deleted, by whom and when; and bringing it back, by way of a plan."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from apps.changesets.errors import ChangesetError
from apps.changesets.history.diff import changes_between
from apps.changesets.history.recycle_bin import deleted_objects
from apps.changesets.numbers import whole_number
from apps.changesets.pages import links
from apps.changesets.pages.forms import RevertForm
from apps.changesets.revert.bring_back import Picked, RestorePlan, plan_restore, restore_deleted
from apps.changesets.tracking import Tracked, tracked_by_name, tracked_models

PER_PAGE = 50
MOST_PICKED = 500


def bin_urls(model_admin: admin.ModelAdmin) -> list[URLPattern]:
    """Return the addresses of the recycle bin and of the plan of bringing things back."""

    def page(view: Callable) -> Callable:
        return model_admin.admin_site.admin_view(partial(view, model_admin))

    return [
        path("recycle-bin/", page(bin_page), name="changesets_recycle_bin"),
        path("recycle-bin/restore/", page(restore_page), name="changesets_recycle_bin_restore"),
    ]


def bin_page(model_admin: admin.ModelAdmin, request: HttpRequest) -> HttpResponse:
    """The deleted objects of one model, newest first, searched and paged; reads only."""
    if request.method not in ("GET", "HEAD"):
        raise PermissionDenied
    visible = [tracked for tracked in tracked_models() if _may(request, "view", tracked)]
    if not (visible and model_admin.has_view_permission(request)):
        raise PermissionDenied
    numbers = [(tracked, deleted_objects(tracked).count()) for tracked in visible]
    asked = tracked_by_name(request.GET.get("model", ""))
    # The model asked for, or the first that has something in the bin.
    chosen = asked if asked in visible else next((t for t, number in reversed(numbers) if number), visible[-1])
    search = request.GET.get("q", "")[:200].replace("\x00", "")
    rows = deleted_objects(chosen)
    if search.strip():
        rows, _ = model_admin.admin_site.get_model_admin(chosen.model).get_search_results(request, rows, search)
    paginator = Paginator(rows.order_by("-history_id"), PER_PAGE)
    if not search.strip():
        paginator.count = dict(numbers)[chosen]
    page = paginator.get_page(request.GET.get("p"))
    page.object_list = list(page.object_list)
    remarks = model_admin.admin_site.get_model_admin(chosen.model).remarks_on_deleted(request, page.object_list)
    for row in page.object_list:
        row.remark = remarks.get(row.history_id, "")
    context = {
        "title": "Recycle bin",
        "lines": [
            (tracked.label, tracked.model._meta.verbose_name_plural, number, tracked is chosen)
            for tracked, number in numbers
        ],
        "chosen": chosen,
        "meta": chosen.model._meta,
        "q": search,
        "page": page,
        "rows": _previews(chosen, page),
        "may_restore": _may_restore(request, [chosen]),
    }
    return _render(model_admin, request, "recycle_bin", context)


def restore_page(model_admin: admin.ModelAdmin, request: HttpRequest) -> HttpResponse:
    """GET shows what would come back and what is blocked; POST with a reason brings it back as one changeset."""
    if not model_admin.has_view_permission(request) or request.method not in ("GET", "HEAD", "POST"):
        raise PermissionDenied
    picked = _picked(request)
    if not _may_restore(request, [tracked for tracked in tracked_models() if not picked or tracked.label in picked]):
        raise PermissionDenied
    form = RevertForm(request.POST) if request.method == "POST" else RevertForm()
    try:
        if form.is_bound and form.is_valid():
            return _do(request, picked, form)
    except ChangesetError as refusal:
        form.add_error(None, str(refusal))
    plan = plan_restore(picked)
    return _render(model_admin, request, "restore_plan", _plan_context(plan, picked, form))


def _do(request: HttpRequest, picked: Picked, form: RevertForm) -> HttpResponse:
    made = restore_deleted(
        picked, actor=request.user, reason=form.cleaned_data["reason"], seen=request.POST.get("seen", "")
    )
    done = made.summary["restore"]
    blocked = f", {done['blocked']:,} blocked" if done["blocked"] else ""
    sentence = f"{done['recreated']:,} brought back{blocked}."
    messages.success(request, links.outcome_message(request.user, made, sentence))
    return HttpResponseRedirect(links.changeset_url(made.pk))


def _plan_context(plan: RestorePlan, picked: Picked, form: RevertForm) -> dict[str, Any]:
    coming = [each for each in plan.objects if each.comes_back]
    stuck = [each for each in plan.objects if not each.comes_back]
    also = {(o.model, o.row) for each in stuck for o in each.obstacles if o.row}
    picks = [f"{label}:{row}" for label, rows in picked.items() for row in rows]
    parts = [f"pick={pick}" for pick in [*picks, *(f"{label}:{row}" for label, row in sorted(also))]]
    return {
        "title": "Bring back from the recycle bin",
        "plan": plan,
        "form": form,
        "picks": picks,
        "coming": [(each, _preview(each.model, each.row)) for each in coming],
        "stuck": [
            (each, links.object_url(type(each.row.instance), each.row.instance.pk, page="history")) for each in stuck
        ],
        "also": len(also),
        "also_url": "?" + "&".join(parts),
    }


def _previews(tracked: Tracked, page: Page) -> list[tuple[Any, Any, str]]:
    """Each row with all its values, and the address of its history."""
    rows = list(page.object_list)
    changes = changes_between(tracked, [(row.history_id, None) for row in rows])
    pk = tracked.model._meta.pk.attname
    return [
        (row, change, links.object_url(tracked.model, getattr(row, pk), page="history"))
        for row, change in zip(rows, changes, strict=True)
    ]


def _preview(label: str, row: Any) -> Any:
    return changes_between(tracked_by_name(label), [(row.history_id, None)])[0]


def _picked(request: HttpRequest) -> Picked:
    """The ticked rows, `airports.airport:123` each; what is no such thing is passed over."""
    asked = request.POST if request.method == "POST" else request.GET
    picked: Picked = {}
    for pick in asked.getlist("pick")[:MOST_PICKED]:
        label, _, row = pick.rpartition(":")
        tracked = tracked_by_name(label)
        number = whole_number(row)
        if tracked is not None and number is not None:
            picked.setdefault(tracked.label, []).append(number)
    return picked


def _may(request: HttpRequest, verb: str, tracked: Tracked) -> bool:
    meta = tracked.model._meta
    return request.user.has_perm(f"{meta.app_label}.{verb}_{meta.model_name}")


def _may_restore(request: HttpRequest, models: list[Tracked]) -> bool:
    return request.user.has_perm(links.REVERT) and all(_may(request, "add", tracked) for tracked in models)


def _render(model_admin: admin.ModelAdmin, request: HttpRequest, page: str, context: dict[str, Any]) -> HttpResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "bin_url": reverse("admin:changesets_recycle_bin"),
        "restore_url": reverse("admin:changesets_recycle_bin_restore"),
        **context,
    }
    return TemplateResponse(request, f"admin/changesets/{page}.html", context)
