"""The page of going back to an old version: now and then field by field, the fields to tick, and the reason."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from apps.changesets.acts.frame import answer
from apps.changesets.acts.methods import ASKS, turned_away
from apps.changesets.acts.planned import Crumb, Outcome, Page, PlannedAct
from apps.changesets.errors import PlanMoved
from apps.changesets.pages import links
from apps.changesets.revert.go_back import VersionPlan, go_back, living, plan_version
from apps.changesets.rights import eyes_of
from apps.changesets.tracking import tracked_for


def version_page(model_admin: Any, request: HttpRequest, object_id: str, row: int) -> HttpResponse:
    """Show what going back would set, or do it for the ticked fields, as one changeset."""
    if (refused := turned_away(request, ASKS, may=model_admin.has_view_permission(request))) is not None:
        return refused
    versions = tracked_for(model_admin.model).history_model.objects.select_related("changeset", "changeset__actor")
    of_object = {model_admin.opts.pk.attname: model_admin.key_or_404(object_id), "history_id": row}
    version = versions.filter(**of_object).first() if 0 < row < 2**63 else None
    if version is None:
        raise Http404("There is no such version.")
    return answer(GoBack(model_admin, request, version))


def may_go_back(model_admin: admin.ModelAdmin, request: HttpRequest, *, lives: bool) -> bool:
    """Whether the person may change the object that lives, or bring a deleted one back as from the recycle bin."""
    if lives:
        return model_admin.has_change_permission(request)
    return model_admin.has_add_permission(request) and request.user.has_perm(links.REVERT)


class TickedFields(PlannedAct[VersionPlan]):
    """An act that gives an object the ticked fields of a version; those that differ are ticked to begin with."""

    def __init__(self, model_admin: admin.ModelAdmin, request: HttpRequest, version: Any) -> None:
        super().__init__(model_admin, request)
        self.version = version
        self.tracked = tracked_for(model_admin.model)
        self.ticked: list[str] | None = request.POST.getlist("field") if request.method == "POST" else None

    def plan(self) -> VersionPlan:
        return plan_version(self.tracked, self.version, fields=self.ticked, sees=eyes_of(self.request.user))

    def state(self, plan: VersionPlan) -> int:
        return plan.seen

    def sentence_of(self, refusal: Exception) -> str:
        if isinstance(refusal, PlanMoved):
            self.ticked = None
        return super().sentence_of(refusal)

    def fields_of(self, plan: VersionPlan, then: str) -> dict[str, Any]:
        """Return what the table of the fields shows; `then` is what its last column is called."""
        ticked = [(field, self.ticked is None or field.name in self.ticked) for field in plan.fields]
        return {"fields": ticked, "then": then, "bin_url": reverse("admin:changesets_recycle_bin")}


class GoBack(TickedFields):
    """Going back to an old version of an object."""

    name = "go-back"
    template = "admin/acts/go_back.html"

    def may(self) -> bool:
        return may_go_back(self.model_admin, self.request, lives=living(self.tracked, self.version) is not None)

    def subject(self) -> list[Any]:
        return [self.tracked.label, self.version.history_id]

    def page(self, plan: VersionPlan) -> Page:
        meta = self.model_admin.opts
        history_url = links.model_url(meta.model, "history", quote(getattr(self.version, meta.pk.attname)))
        verb = "Go back to this version" if plan.lives else "Bring it back"
        note = "Only the ticked fields are set. " * plan.lives + Page.note
        return Page(
            title=f"Go back: {self.version.instance}",
            crumbs=(
                Crumb(str(meta.verbose_name_plural).capitalize(), links.list_url(meta.model)),
                Crumb(f"History of {self.version.instance}", history_url),
                Crumb("Go back"),
            ),
            verb=verb if plan.fields and (plan.lives or not plan.obstacles) else "",
            back_url=history_url,
            back="Back" if plan.fields and (plan.lives or not plan.obstacles) else "Back to the history",
            note=note,
            context={"version": self.version, **self.fields_of(plan, "Then")},
        )

    def apply(self, *, reason: str, seen: Any) -> Outcome:
        ticked = self.ticked or ()
        made = go_back(self.tracked, self.version, fields=ticked, actor=self.actor, reason=reason, seen=seen)
        now = living(self.tracked, self.version) or self.version.instance
        back = links.object_url(self.tracked.model, now.pk, page="history"), f"Back to the history of {now}"
        return links.lead_to(self.request.user, made, f"{now} is back to that version.", back=back)
