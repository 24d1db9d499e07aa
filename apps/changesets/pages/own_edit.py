"""The page where a person undoes their own newest edit of an object."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from apps.changesets.acts.frame import answer
from apps.changesets.acts.planned import Crumb, Outcome, Page, PlannedAct
from apps.changesets.errors import PlanMoved
from apps.changesets.models import Changeset, Kind
from apps.changesets.pages import links
from apps.changesets.pages.reverted import reverted
from apps.changesets.revert import Scope
from apps.changesets.revert.own_edit import OwnEdit, plan_own_undo
from apps.changesets.rights import Need, eyes_of


def undo_page(model_admin: admin.ModelAdmin[Any], request: HttpRequest, pk: int) -> HttpResponse:
    """Show what undoing the person's own edit would do, or do it, as one changeset."""
    return answer(UndoMyEdit(model_admin, request, Changeset.objects.filter(pk=pk).first()))


class UndoMyEdit(PlannedAct[OwnEdit]):
    """Undoing an edit of one object by who made it."""

    name = "undo-my-edit"
    template = "admin/acts/own_edit.html"

    def __init__(self, model_admin: admin.ModelAdmin[Any], request: HttpRequest, changeset: Changeset | None) -> None:
        super().__init__(model_admin, request)
        self.changeset = changeset

    def may(self) -> bool:
        edit = self.changeset
        return edit is not None and edit.kind == Kind.EDIT and edit.actor_id == self.actor.pk

    @property
    def own(self) -> Changeset:
        """The edit; only who may is asked for it."""
        if self.changeset is None:
            raise LookupError("There is no such changeset.")
        return self.changeset

    def subject(self) -> int:
        return self.own.pk

    def plan(self) -> OwnEdit:
        return plan_own_undo(self.own, sees=eyes_of(self.request.user))

    def needs(self, plan: OwnEdit) -> set[Need]:
        verb = "delete" if plan.change.operation == "deleted" else "change"
        return {(plan.tracked.model, verb), (plan.tracked.model, "view")}

    def state(self, plan: OwnEdit) -> int:
        return plan.left

    def page(self, plan: OwnEdit) -> Page:
        sees_it = self.request.user.has_perm(links.VIEW)
        crumb = Crumb(str(self.own), links.changeset_url(self.own.pk) if sees_it else "")
        return Page(
            title=f"Undo my edit: {plan.change.before.instance}",
            crumbs=(crumb, Crumb("Undo my edit")),
            verb="Undo my edit",
            danger=True,
            back_url=self._object_url(plan),
            heading="Undoing it will mean",
            context={"change": plan.change},
        )

    def apply(self, *, reason: str, seen: Any) -> Outcome:
        plan = self.plan()
        if plan.left != seen:
            raise PlanMoved("The object was changed after this page was shown: nothing was done.")
        return reverted(self.request, [self.own], Scope(), reason=reason, back=(self._object_url(plan), "Back"))

    def without_plan(self, refusal: Exception) -> Page:
        may_look = self.request.user.has_perm(links.VIEW)
        back = links.changeset_url(self.own.pk) if may_look else reverse("admin:index")
        return Page(title="Undo my edit", crumbs=(Crumb("Undo my edit"),), verb="", back_url=back)

    def _object_url(self, plan: OwnEdit) -> str:
        return links.object_url(plan.tracked.model, plan.change.before.instance.pk)
