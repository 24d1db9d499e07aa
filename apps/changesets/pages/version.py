"""The page of going back to an old version: now and then field by field, the fields to tick, and the reason."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from apps.changesets.errors import ChangesetError, PlanMoved
from apps.changesets.numbers import whole_number
from apps.changesets.pages import links
from apps.changesets.pages.forms import RevertForm
from apps.changesets.revert.go_back import VersionPlan, go_back, living, plan_version
from apps.changesets.tracking import Tracked, tracked_for


def version_page(model_admin: admin.ModelAdmin, request: HttpRequest, key: Any, row: int) -> HttpResponse:
    """GET shows what going back would set; POST with ticked fields and a reason does it, as one changeset."""
    if not model_admin.has_view_permission(request) or request.method not in ("GET", "HEAD", "POST"):
        raise PermissionDenied
    tracked = tracked_for(model_admin.model)
    versions = tracked.history_model.objects.select_related("changeset", "changeset__actor")
    if not 0 < row < 2**63:
        raise Http404
    version = versions.filter(**{tracked.model._meta.pk.attname: key}, history_id=row).first()
    if version is None:
        raise Http404("There is no such version.")
    if not may_go_back(model_admin, request, lives=living(tracked, version) is not None):
        raise PermissionDenied
    form = RevertForm(request.POST) if request.method == "POST" else RevertForm()
    ticked = request.POST.getlist("field") if form.is_bound else None
    try:
        if form.is_bound and form.is_valid():
            return _do(request, tracked, version, form)
    except PlanMoved as moved:
        form.add_error(None, str(moved))
        ticked = None
    except ChangesetError as refusal:
        form.add_error(None, str(refusal))
    plan = plan_version(tracked, version, fields=ticked)
    return _render(model_admin, request, version, plan, form, ticked)


def may_go_back(model_admin: admin.ModelAdmin, request: HttpRequest, *, lives: bool) -> bool:
    """Whether the person may: change what lives; bringing back what is gone asks what the recycle bin asks."""
    if lives:
        return model_admin.has_change_permission(request)
    return model_admin.has_add_permission(request) and request.user.has_perm(links.REVERT)


def _do(request: HttpRequest, tracked: Tracked, version: Any, form: RevertForm) -> HttpResponse:
    made = go_back(
        tracked,
        version,
        fields=request.POST.getlist("field"),
        actor=request.user,
        reason=form.cleaned_data["reason"],
        seen=whole_number(request.POST.get("seen", "")) or 0,
    )
    now = living(tracked, version)
    messages.success(request, links.outcome_message(request.user, made, f"{now} is back to that version."))
    return HttpResponseRedirect(links.object_url(tracked.model, now.pk, page="history"))


def _render(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    version: Any,
    plan: VersionPlan,
    form: RevertForm,
    ticked: list[str] | None,
) -> HttpResponse:
    meta = model_admin.opts
    key = quote(getattr(version, meta.pk.attname))
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": meta,
        "title": f"Go back: {version.instance}",
        "version": version,
        "plan": plan,
        "form": form,
        "fields": [(field, ticked is None or field.name in ticked) for field in plan.fields],
        "plural": str(meta.verbose_name_plural).capitalize(),
        "changelist_url": links.list_url(meta.model),
        "history_url": links.model_url(meta.model, "history", key),
        "bin_url": reverse("admin:changesets_recycle_bin"),
    }
    return TemplateResponse(request, "admin/changesets/go_back.html", context)
