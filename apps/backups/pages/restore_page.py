"""The pages of restoring an object: its backups to choose from, then now and backup field by field."""

from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from apps.backups.errors import BackupFailure, OtherSchema
from apps.backups.objects.bringing_back import plan_hanging, restore_with_hanging
from apps.backups.objects.catalogue import ObjectBackup, backup_of, backups_of
from apps.backups.objects.restoring import Fit, fit_to, plan_restore_of, restore_from
from apps.changesets.errors import ChangesetError, PlanMoved
from apps.changesets.pages import links
from apps.changesets.pages.forms import RevertForm, posted_version
from apps.changesets.revert.go_back import living
from apps.changesets.tracking import tracked_for


def list_page(
    model_admin: admin.ModelAdmin, request: HttpRequest, obj: models.Model, *, refusal: str = ""
) -> HttpResponse:
    """Show the backups of the object, and in one sentence each what is wrong with the damaged ones."""
    tracked = tracked_for(model_admin.model)
    found = backups_of(tracked, obj)
    more = {
        "title": f"Restore {obj}",
        "backups": found.backups,
        "complaints": [complaint for complaint in found.complaints if complaint != refusal],
        "refusal": refusal,
        "damaged": bool(found.complaints),
        "lives": tracked.model._base_manager.filter(pk=obj.pk).exists(),
    }
    return _answer(model_admin, request, obj, "admin/backups/object_backups.html", more)


def download(model_admin: admin.ModelAdmin, request: HttpRequest, obj: models.Model, name: str) -> HttpResponse:
    """Give the file of a backup of this object, once it is proved to be as it was written."""
    try:
        backup = backup_of(tracked_for(model_admin.model), obj, name)
    except BackupFailure as refusal:
        return list_page(model_admin, request, obj, refusal=str(refusal))
    return FileResponse(backup.file.open("rb"), as_attachment=True, filename=backup.file.name)


def plan_page(model_admin: admin.ModelAdmin, request: HttpRequest, obj: models.Model, name: str) -> HttpResponse:
    """Show what the backup would set (GET); set the ticked fields as one changeset (POST)."""
    tracked = tracked_for(model_admin.model)
    try:
        backup = backup_of(tracked, obj, name)
        fit = fit_to(tracked, backup, obj)
    except BackupFailure as refusal:
        return list_page(model_admin, request, obj, refusal=str(refusal))
    form = RevertForm(request.POST) if request.method == "POST" else RevertForm()
    ticked = request.POST.getlist("field") if form.is_bound else None
    try:
        if form.is_bound and form.is_valid():
            return _do(model_admin, request, backup, fit, form)
    except PlanMoved as moved:
        form.add_error(None, str(moved))
        ticked = None
    except OtherSchema:
        form.add_error(None, "Nothing was restored: tick “Restore the rest”, or leave it.")
    except ChangesetError as refusal:
        form.add_error(None, str(refusal))
    plan = plan_restore_of(tracked, fit, fields=ticked)
    more = {
        "title": f"Restore {obj}",
        "backup": backup,
        "fit": fit,
        "plan": plan,
        "form": form,
        "hanging": plan_hanging(backup),
        "with_hanging": form.is_bound and bool(request.POST.get("hanging")),
        "rest": bool(request.POST.get("rest")),
        "fields": [(field, ticked is None or field.name in ticked) for field in plan.fields],
    }
    return _answer(model_admin, request, obj, "admin/backups/restore_object.html", more)


def _do(
    model_admin: admin.ModelAdmin, request: HttpRequest, backup: ObjectBackup, fit: Fit, form: RevertForm
) -> HttpResponse:
    tracked = tracked_for(model_admin.model)
    made = (restore_with_hanging if request.POST.get("hanging") else restore_from)(
        tracked,
        backup,
        fit,
        fields=request.POST.getlist("field"),
        actor=request.user,
        reason=form.cleaned_data["reason"],
        seen=posted_version(request),
        rest=bool(request.POST.get("rest")),
    )
    now = living(tracked, fit.version)
    messages.success(request, links.outcome_message(request.user, made, f"{now} is restored from its backup."))
    return HttpResponseRedirect(links.object_url(tracked.model, now.pk))


def _answer(
    model_admin: admin.ModelAdmin, request: HttpRequest, obj: models.Model, template: str, more: dict[str, Any]
) -> HttpResponse:
    meta = model_admin.opts
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": meta,
        "object": obj,
        "plural": str(meta.verbose_name_plural).capitalize(),
        "changelist_url": links.list_url(meta.model),
        # For what is deleted this leads on to its history.
        "object_url": links.object_url(meta.model, obj.pk),
        "bin_url": reverse("admin:changesets_recycle_bin"),
        **more,
    }
    return TemplateResponse(request, template, context)
