"""The rows behind a rule, a page at a time; accepting them as known, and taking that back."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST

from apps.changesets.acts.actor import actor_of
from apps.changesets.acts.forms import ReasonForm
from apps.changesets.acts.frame import answer, offer
from apps.changesets.acts.methods import DOES, READS, turned_away
from apps.changesets.acts.planned import Crumb, Message, Outcome, Page, PlannedAct
from apps.changesets.errors import ChangesetError
from apps.changesets.history.values import field_label
from apps.changesets.pages.paging import KeysFirstPaginator
from apps.changesets.rights import Sees, eyes_of, require
from apps.changesets.text import counted
from apps.quality.accepting import accept, over, standing, withdraw
from apps.quality.errors import QualityError
from apps.quality.findings import few_findings_of
from apps.quality.models import AcceptedFinding
from apps.quality.pages.addresses import ACCEPT, findings_url, page_of, rule_url
from apps.quality.pages.findings import mending
from apps.quality.rows import values_of, with_links
from apps.quality.rules import Rule, rule_named

PER_PAGE = 50
ACCEPTED_SHOWN = 200
OVER_SHOWN = 50


class UntilForm(forms.Form):
    """Until when it holds that the ticked findings are known."""

    until = forms.DateField(label="Until", required=False, widget=forms.DateInput(attrs={"type": "date"}))


def rule_of(request: HttpRequest, code: str) -> Rule:
    """Return the rule with this code to who may see what it is about; raises Http404 and PermissionDenied."""
    try:
        rule = rule_named(code)
    except LookupError as error:
        raise Http404(str(error)) from error
    require(request.user, [(rule.model_class, "view")])
    return rule


def rule_page(
    model_admin: admin.ModelAdmin[Any], request: HttpRequest, context: dict[str, Any], rule: Rule
) -> HttpResponse:
    """Show the findings of a rule, and those accepted."""
    if (refused := turned_away(request, READS)) is not None:
        return refused
    act = AcceptFindings(model_admin, request, rule, context)
    return act.shown(**offer(act))


def accept_rows(
    model_admin: admin.ModelAdmin[Any], request: HttpRequest, context: dict[str, Any], rule: Rule
) -> HttpResponse:
    """Accept the ticked findings of a rule as known."""
    return answer(AcceptFindings(model_admin, request, rule, context))


class AcceptFindings(PlannedAct[Rule]):
    """Accepting the ticked findings of a rule, on the page that lists them; its address asks for the permission."""

    name = "accept-findings"
    methods = DOES
    needs_token = False
    refusals = (ChangesetError, QualityError)

    def __init__(
        self, model_admin: admin.ModelAdmin[Any], request: HttpRequest, rule: Rule, context: dict[str, Any]
    ) -> None:
        super().__init__(model_admin, request)
        self.rule, self.context = rule, context
        self.ticked = request.POST.getlist("tick")
        self.until = UntilForm(request.POST if request.method == "POST" else None)

    def may(self) -> bool:
        return True

    def subject(self) -> str:
        return self.rule.code

    def plan(self) -> Rule:
        return self.rule

    def state(self, plan: Rule) -> None:
        """What is ticked is what is accepted, whatever else is found by then."""

    def is_complete(self) -> bool:
        if not self.ticked:
            raise QualityError("Tick the findings that are known.")
        return self.until.is_valid()

    def page(self, plan: Rule) -> Page:
        crumbs = (Crumb("Findings", findings_url()), Crumb(plan.title))
        return Page(plan.title, crumbs, "Accept as known", rule_url(plan))

    def apply(self, *, reason: str, seen: Any) -> Outcome:
        try:
            rows = self.rule.model_class._base_manager.filter(pk__in=self.ticked)
            number = accept(self.rule, rows, reason=reason, actor=self.actor, **self.until.cleaned_data)
        except ValueError as error:
            raise QualityError("That object is not in the list.") from error
        return Outcome(rule_url(self.rule), (Message(f"{counted(number, 'finding')} accepted as known."),))

    def show_elsewhere(self, refusal: str, form: ReasonForm) -> HttpResponse:
        return self.shown(**{**offer(self), "form": form}, refusal=refusal)

    def shown(self, **offered: Any) -> HttpResponse:
        """Return the page of the rule, with what is offered there."""
        rule, request = self.rule, self.request
        findings = rule.in_order(with_links(rule, few_findings_of(rule)))
        rows = KeysFirstPaginator(findings, PER_PAGE).get_page(request.GET.get("p"))
        meta = rule.model_class._meta
        own = {
            "title": rule.title,
            "rule": rule,
            "until": self.until,
            "row_page": rows,
            "rows": [_row(rule, row, self.ticked, eyes_of(request.user)) for row in rows.object_list],
            "fields": [field_label(rule.model_class, name) for name in rule.fields],
            "accepted": list(standing().filter(rule=rule.code)[:ACCEPTED_SHOWN]),
            "over": list(over(rule)[:OVER_SHOWN]),
            "may_accept": request.user.has_perm(ACCEPT),
            "noun": meta.verbose_name,
            "mend": {"rule": rule, **mending(rule, request)},
        }
        return TemplateResponse(request, "admin/quality/finding/rule.html", {**self.context, **own, **offered})


@require_POST
def withdraw_one(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an acceptance back."""
    accepted = AcceptedFinding.objects.filter(pk=pk).first()
    if accepted is None:
        raise Http404("There is no such acceptance.")
    rule = rule_of(request, accepted.rule)
    try:
        withdraw(accepted, actor=actor_of(request))
        messages.success(request, f"{accepted.object_name} counts as a finding again.")
    except QualityError as refusal:
        messages.warning(request, str(refusal))
    return HttpResponseRedirect(rule_url(rule))


def _row(rule: Rule, row: Any, ticked: list[str], sees: Sees) -> dict[str, Any]:
    return {
        "key": str(row.pk),
        "name": str(row),
        "url": page_of(row),
        "values": values_of(rule, row, sees=sees),
        "ticked": str(row.pk) in ticked,
    }
