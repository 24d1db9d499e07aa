"""The pages of restoring an object: its backups to choose from, then now and backup field by field."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models.options import Options
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from apps.backups.errors import BackupFailure, OtherSchema
from apps.backups.objects.bringing_back import plan_hanging, restore_with_hanging
from apps.backups.objects.catalogue import ObjectBackup, backup_of, backups_of, using_storage
from apps.backups.objects.restoring import Fit, fit_to, restore_from
from apps.changesets.acts.frame import answer
from apps.changesets.acts.lines import Line
from apps.changesets.acts.methods import show_page
from apps.changesets.acts.planned import Crumb, Outcome, Page
from apps.changesets.errors import ChangesetError
from apps.changesets.fields import target_of
from apps.changesets.pages import links
from apps.changesets.pages.version import TickedFields
from apps.changesets.revert.go_back import VersionPlan, living
from apps.changesets.rights import require
from apps.changesets.tracking import tracked_by_name, tracked_for


def list_page(
    model_admin: admin.ModelAdmin, request: HttpRequest, obj: models.Model, *, refusal: str = ""
) -> HttpResponse:
    """Show the backups of the object, and in one sentence each what is wrong with the damaged ones."""
    tracked = tracked_for(model_admin.model)
    backups = backups_of(tracked, obj)
    meta = model_admin.opts
    context = {
        "object": obj,
        "plural": str(meta.verbose_name_plural).capitalize(),
        "changelist_url": links.list_url(meta.model),
        # For what is deleted this leads on to its history.
        "object_url": links.object_url(meta.model, obj.pk),
        "title": f"Restore {obj}",
        "backups": backups.backups,
        "complaints": [complaint for complaint in backups.complaints if complaint != refusal],
        "refusal": refusal,
        "damaged": bool(backups.complaints),
        "lives": tracked.model._base_manager.filter(pk=obj.pk).exists(),
    }
    return show_page(model_admin, request, "admin/backups/object_backups.html", context)


def download(model_admin: admin.ModelAdmin, request: HttpRequest, obj: models.Model, name: str) -> HttpResponseBase:
    """Give the file of a backup of this object, once it is proved to be as it was written."""
    try:
        backup = backup_of(tracked_for(model_admin.model), obj, name)
    except BackupFailure as refusal:
        return list_page(model_admin, request, obj, refusal=str(refusal))
    # It names what the object was linked to, and holds what hung on it.
    require(request.user, {(model, "view") for model in _models_in(backup)})
    with using_storage() as place:
        return FileResponse(place.open(backup.file_name), as_attachment=True, filename=backup.file_name)


def _models_in(backup: ObjectBackup) -> Iterator[type[models.Model]]:
    """Yield the tracked models of which a backup of an object has values."""
    hanging = [record for records in backup.hanging.values() for record in records]
    for label in {backup.model, *(record["model"] for record in hanging)}:
        if (tracked := tracked_by_name(label)) is not None:
            yield from (tracked.model, *map(target_of, tracked.links))


def plan_page(model_admin: admin.ModelAdmin, request: HttpRequest, obj: models.Model, name: str) -> HttpResponse:
    """Show what the backup would set, or set the ticked fields as one changeset."""
    tracked = tracked_for(model_admin.model)
    try:
        backup = backup_of(tracked, obj, name)
        fit = fit_to(tracked, backup, obj)
    except BackupFailure as refusal:
        return list_page(model_admin, request, obj, refusal=str(refusal))
    return answer(RestoreObject(model_admin, request, obj, backup, fit))


class RestoreObject(TickedFields):
    """Restoring an object from a backup of it; its button has asked for the permission."""

    name = "restore-object"
    template = "admin/acts/restore_object.html"
    needs_token = False
    refusals = (ChangesetError, BackupFailure)

    def __init__(
        self, model_admin: admin.ModelAdmin, request: HttpRequest, obj: models.Model, backup: ObjectBackup, fit: Fit
    ) -> None:
        super().__init__(model_admin, request, fit.version)
        self.obj, self.backup, self.fit = obj, backup, fit
        self.with_hanging, self.rest = bool(request.POST.get("hanging")), bool(request.POST.get("rest"))

    def may(self) -> bool:
        return True

    def subject(self) -> list[str]:
        return [self.tracked.label, str(self.obj.pk), self.backup.name]

    def sentence_of(self, refusal: Exception) -> str:
        if isinstance(refusal, OtherSchema):
            return "Nothing was restored: tick “Restore the rest”, or leave it."
        return super().sentence_of(refusal)

    def page(self, plan: VersionPlan) -> Page:
        meta, hanging = self.model_admin.opts, plan_hanging(self.backup)
        to_do = bool(plan.fields or hanging.lines)
        verb = "Restore the ticked fields" if plan.lives else "Bring it back"
        return Page(
            title=f"Restore {self.obj}",
            crumbs=(*crumbs_of(meta, self.obj), Crumb("Restore", "?"), Crumb("Compare")),
            verb=verb if to_do and (plan.lives or not plan.obstacles) else "",
            back_url="?",
            context={
                "backup": self.backup,
                "fit": self.fit,
                "hanging": hanging,
                "hanging_lines": [Line(*line) for line in hanging.lines],
                "with_hanging": self.with_hanging or not plan.fields,
                "rest": self.rest,
                **self.fields_of(plan, "Backup"),
            },
        )

    def apply(self, *, reason: str, seen: Any) -> Outcome:
        made = (restore_with_hanging if self.with_hanging else restore_from)(
            self.tracked,
            self.backup,
            self.fit,
            fields=self.ticked or (),
            actor=self.actor,
            reason=reason,
            seen=seen,
            partly=self.rest,
        )
        now = living(self.tracked, self.fit.version) or self.obj
        back = links.object_url(self.tracked.model, now.pk), f"Back to {now}"
        return links.lead_to(self.request.user, made, f"{now} is restored from its backup.", back=back)


def crumbs_of(meta: Options, obj: models.Model) -> tuple[Crumb, ...]:
    """Return the way to an object's page; where it is deleted, that leads on to its history."""
    plural = Crumb(str(meta.verbose_name_plural).capitalize(), links.list_url(meta.model))
    return plural, Crumb(str(obj), links.object_url(meta.model, obj.pk))
