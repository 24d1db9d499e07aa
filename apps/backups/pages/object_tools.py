"""The buttons Back up and Restore of an object's page, for any tracked model."""

from collections.abc import Sequence
from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.backups.errors import BackupFailure
from apps.backups.objects.catalogue import ObjectBackup, is_named_for, names_of
from apps.backups.objects.document import kinds_hanging_on
from apps.backups.objects.making import back_up_object
from apps.backups.pages.restore_page import crumbs_of, download, list_page, plan_page
from apps.changesets.acts.frame import answer
from apps.changesets.acts.planned import Crumb, Message, Outcome, Page, PlannedAct
from apps.changesets.errors import ChangesetError
from apps.changesets.pages import links
from apps.changesets.pages.recorded import RecordedModelAdmin
from apps.changesets.pages.tools import may_use, object_tool, tool_url
from apps.changesets.tracking import tracked_for


class ObjectBackups(RecordedModelAdmin):
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
        return answer(BackUpObject(self, request, obj))

    @object_tool(
        label="Restore…", permissions=("restore",), words="Take values back from one of its backups", of_gone=True
    )
    def restore(self, request: HttpRequest, obj: models.Model) -> HttpResponseBase:
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


class BackUpObject(PlannedAct[str]):
    """Writing an object to a file of its own; the plan is what hangs on it, and its button has asked for permission."""

    name = "back-up-object"
    template = "admin/acts/back_up_object.html"
    needs_token = False
    refusals = (ChangesetError, BackupFailure)

    def __init__(self, model_admin: Any, request: HttpRequest, obj: models.Model) -> None:
        super().__init__(model_admin, request)
        self.obj = obj

    def may(self) -> bool:
        return True

    def subject(self) -> list[str]:
        return [self.obj._meta.label_lower, str(self.obj.pk)]

    def plan(self) -> str:
        return _hanging_words(type(self.obj))

    def state(self, plan: str) -> None:
        """Whatever it is like by now is what is written."""

    def page(self, plan: str) -> Page:
        meta = self.model_admin.opts
        return Page(
            title=f"Back up {self.obj}",
            crumbs=(*crumbs_of(meta, self.obj), Crumb("Back up")),
            verb=f"Back up this {meta.verbose_name}",
            back_url=links.object_url(meta.model, self.obj.pk),
            note="",
            context={"object": self.obj},
        )

    def apply(self, *, reason: str, seen: Any) -> Outcome:
        hanging = bool(self.request.POST.get("hanging"))
        made = back_up_object(self.obj, actor=self.actor, reason=reason, hanging=hanging)
        return Outcome(links.object_url(type(self.obj), self.obj.pk), (Message(self._sentence(made)),))

    def _sentence(self, made: ObjectBackup) -> str:
        sentence = format_html("{} is backed up in <code>{}</code>.", self.obj, made.file_name)
        if not may_use(self.model_admin, self.request, cast(ObjectBackups, self.model_admin).restore):
            return sentence
        address = tool_url(type(self.obj), self.obj.pk, "restore")
        return format_html('{} <a href="{}">Its backups</a>', sentence, address)


def _hanging_words(model: type[models.Model]) -> str:
    """Say what hangs on objects of this model: `its cities and the links of its airports`; empty for nothing."""
    belonging, pointing = kinds_hanging_on(model)
    parts = [f"its {field.model._meta.verbose_name_plural}" for field in belonging]
    parts += [f"the links of its {field.model._meta.verbose_name_plural}" for field in pointing]
    return " and ".join(parts)
