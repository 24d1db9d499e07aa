"""Confirming an import: the page of its run shows the plan, and a small one is applied at once."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse

from apps.changesets.acts.forms import ReasonForm
from apps.changesets.acts.frame import answer, lead
from apps.changesets.acts.methods import DOES
from apps.changesets.acts.planned import Crumb, Message, Outcome, Page, PlannedAct
from apps.changesets.errors import ChangesetError
from apps.changesets.pages import links
from apps.changesets.text import counted
from apps.imports.errors import ImportFailure, RunRefused
from apps.imports.models import ImportRun, RunStatus
from apps.imports.pages.addresses import run_url
from apps.imports.pages.forms import ConfirmForm
from apps.imports.runs.confirming import confirm_run, mark_of, may_decide, why_not_confirm
from apps.imports.runs.rows import changes_of
from apps.imports.tasks import start_applying


def confirm_page(model_admin: admin.ModelAdmin[Any], request: HttpRequest, run: ImportRun) -> HttpResponse:
    """Confirm the plan of a run as it was seen, by POST only."""
    return answer(ConfirmImport(model_admin, request, run))


class ConfirmImport(PlannedAct[ImportRun]):
    """Confirming the plan of a run; the caller has checked that the person may see the run."""

    name = "confirm-import"
    methods = DOES
    refusals = (ChangesetError, ImportFailure)

    def __init__(self, model_admin: admin.ModelAdmin[Any], request: HttpRequest, run: ImportRun) -> None:
        super().__init__(model_admin, request)
        self.run = run
        self.options = ConfirmForm(request.POST if request.method == "POST" else None, label_suffix="")

    def may(self) -> bool:
        return may_decide(self.request.user, self.run)

    def subject(self) -> int:
        return self.run.pk

    def plan(self) -> ImportRun:
        return self.run

    def state(self, plan: ImportRun) -> str:
        return mark_of(plan)

    def proposed_reason(self) -> str:
        return self.run.reason

    def is_complete(self) -> bool:
        if not self.options.is_valid():
            raise RunRefused(str(next(iter(self.options.errors.values()))[0]))
        return True

    def page(self, plan: ImportRun) -> Page:
        return Page(
            title=f"Import of {plan.file_name}",
            crumbs=(Crumb(plan.file_name),),
            verb="Import",
            back_url=run_url(plan),
            danger=bool((plan.summary or {}).get("beyond_limits")),
            note="It becomes one changeset, and can be reverted.",
            context={"options": self.options},
        )

    def apply(self, *, reason: str, seen: Any) -> Outcome:
        if why := why_not_confirm(self.request.user, self.run):
            raise RunRefused(why)
        if not changes_of(self.run):
            raise RunRefused("There is nothing to change: nothing was imported.")
        run = confirm_run(self.run, actor=self.actor, seen=seen, reason=reason, **self.options.cleaned_data)
        start_applying(run)
        run.refresh_from_db()
        return self._outcome(run)

    def show_elsewhere(self, refusal: str, form: ReasonForm) -> HttpResponse:
        """Lead to the page of the run, which shows the plan as it is now."""
        sentence = refusal or str(next(iter(form.errors.values()))[0])
        return lead(self.request, Outcome(run_url(self.run), (Message(sentence, messages.ERROR),)))

    def _outcome(self, run: ImportRun) -> Outcome:
        if run.status != RunStatus.APPLIED or run.changeset is None:
            return Outcome(run_url(run))
        sentence = f"Imported {run.file_name}."
        if alone := (run.counts or {}).get("left_alone", 0):
            sentence += f" {counted(alone, 'row was', 'rows were')} left alone."
        return links.lead_to(self.request.user, run.changeset, sentence, back=(run_url(run), "The plan"))
