"""The buttons Back up and Restore of an object's page, for any tracked model."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.backups.errors import BackupFailure
from apps.backups.objects.catalogue import ObjectBackup, is_named_for, names_of
from apps.backups.objects.hanging import kinds_hanging_on
from apps.backups.objects.making import back_up_object
from apps.backups.pages.restore_page import download, list_page, plan_page
from apps.changesets.pages import links
from apps.changesets.pages.forms import RevertForm
from apps.changesets.pages.tools import may_use, object_tool, tool_url
from apps.changesets.tracking import tracked_for


class ObjectBackups:
    """Back up and restore for the admin of a tracked model; stands before PinningMixin and ObjectTools among the bases.

    The permissions are `backup_<model>` and `restore_<model>`; restoring writes, so it also asks what an edit asks, and
    of what is gone, what adding asks.
    """

    def has_backup_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "backup")

    def has_restore_permission(self, request: HttpRequest) -> bool:
        """Ask what both sorts of restoring ask; which one it is, `restore` knows."""
        writes = self.has_change_permission(request) or self.has_add_permission(request)
        return self._may(request, "restore") and writes

    def _may(self, request: HttpRequest, verb: str) -> bool:
        return request.user.has_perm(f"{self.opts.app_label}.{verb}_{self.opts.model_name}")

    @object_tool(
        label="Back up…", permissions=("backup",), words="Write it as it is now to a file of its own", new_group=True
    )
    def backup(self, request: HttpRequest, obj: models.Model) -> HttpResponse:
        """Ask why (GET), or write the backup (POST)."""
        form = RevertForm(request.POST) if request.method == "POST" else RevertForm()
        if form.is_bound and form.is_valid():
            try:
                made = back_up_object(
                    obj,
                    actor=request.user,
                    reason=form.cleaned_data["reason"],
                    hanging=bool(request.POST.get("hanging")),
                )
            except BackupFailure as failure:
                form.add_error(None, str(failure))
            else:
                messages.success(request, self._backed_up(request, obj, made))
                return HttpResponseRedirect(links.object_url(self.model, obj.pk))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Back up {obj}",
            "object": obj,
            "form": form,
            "hanging": _hanging_words(self.model),
            "plural": str(self.opts.verbose_name_plural).capitalize(),
            "changelist_url": links.list_url(self.model),
            "object_url": links.object_url(self.model, obj.pk),
        }
        return TemplateResponse(request, "admin/backups/back_up_object.html", context)

    @object_tool(
        label="Restore…", permissions=("restore",), words="Take values back from one of its backups", of_gone=True
    )
    def restore(self, request: HttpRequest, obj: models.Model) -> HttpResponse:
        """Show the backups of this object, or what the chosen one would set (GET); set the ticked fields (POST)."""
        lives = self.model._base_manager.filter(pk=obj.pk).exists()
        if not (self.has_change_permission(request) if lives else self.has_add_permission(request)):
            raise PermissionDenied
        name = (request.POST if request.method == "POST" else request.GET).get("backup", "")
        if name and request.method != "POST" and "download" in request.GET:
            return download(self, request, obj, name)
        return plan_page(self, request, obj, name) if name else list_page(self, request, obj)

    def remarks_on_deleted(self, request: HttpRequest, rows: Sequence[Any]) -> dict[int, str]:
        """Lead from what is deleted to its backups."""
        remarks = super().remarks_on_deleted(request, rows)
        if not rows or not may_use(self, request, self.restore):
            return remarks
        tracked = tracked_for(self.model)
        names = names_of(tracked)
        backed_up = [row for row in rows if any(is_named_for(tracked, name, row) for name in names)]
        return remarks | {
            row.history_id: self._way_to_backups(row, remarks.get(row.history_id, "")) for row in backed_up
        }

    def _way_to_backups(self, row: Any, before: str) -> SafeString:
        address = tool_url(self.model, getattr(row, self.opts.pk.attname), "restore")
        return format_html('{} <a href="{}">Restore from a backup…</a>', before, address)

    def _backed_up(self, request: HttpRequest, obj: models.Model, made: ObjectBackup) -> str:
        sentence = format_html("{} is backed up in <code>{}</code>.", obj, made.file.name)
        if not may_use(self, request, self.restore):
            return sentence
        return format_html('{} <a href="{}">Its backups</a>', sentence, tool_url(self.model, obj.pk, "restore"))


def _hanging_words(model: type[models.Model]) -> str:
    """Say what hangs on objects of this model: `its cities and the links of its airports`; empty for nothing."""
    belonging, pointing = kinds_hanging_on(model)
    parts = [f"its {field.model._meta.verbose_name_plural}" for field in belonging]
    parts += [f"the links of its {field.model._meta.verbose_name_plural}" for field in pointing]
    return " and ".join(parts)
