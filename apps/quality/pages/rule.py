"""The rows behind a rule, a page at a time; accepting them as known, and taking that back."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST, require_safe

from apps.changesets.acts.actor import actor_of
from apps.changesets.history.values import field_label
from apps.changesets.numbers import counted
from apps.changesets.pages.paging import KeysFirstPaginator
from apps.quality.accepting import accept, over, standing, withdraw
from apps.quality.errors import QualityError
from apps.quality.findings import few_findings_of
from apps.quality.models import AcceptedFinding
from apps.quality.pages.addresses import ACCEPT, page_of, rule_url
from apps.quality.pages.findings import mending
from apps.quality.rows import values_of, with_links
from apps.quality.rules import Rule, rule_named

PER_PAGE = 50
ACCEPTED_SHOWN = 200
OVER_SHOWN = 50


class AcceptForm(forms.Form):
    """Why the ticked findings are known, and until when that holds."""

    reason = forms.CharField(label="Why", max_length=1000, widget=forms.TextInput(attrs={"class": "vTextField"}))
    until = forms.DateField(label="Until", required=False, widget=forms.DateInput(attrs={"type": "date"}))


def rule_or_404(code: str) -> Rule:
    """Return the rule with this code; raises Http404."""
    try:
        return rule_named(code)
    except LookupError as error:
        raise Http404(str(error)) from error


@require_safe
def rule_page(request: HttpRequest, context: dict[str, Any], rule: Rule) -> HttpResponse:
    """Show the findings of a rule, and those accepted."""
    return _page(request, context, rule, form=AcceptForm())


@require_POST
def accept_rows(request: HttpRequest, context: dict[str, Any], rule: Rule) -> HttpResponse:
    """Accept the ticked findings of a rule as known."""
    form, keys = AcceptForm(request.POST), request.POST.getlist("tick")
    if not keys:
        form.add_error(None, "Tick the findings that are known.")
    if not form.is_valid():
        return _page(request, context, rule, form=form, ticked=keys)
    try:
        rows = rule.model_class._base_manager.filter(pk__in=keys)
        number = accept(rule, rows, **form.cleaned_data, actor=actor_of(request))
    except (QualityError, ValueError) as refusal:
        form.add_error(None, str(refusal) if isinstance(refusal, QualityError) else "That is no object of the list.")
        return _page(request, context, rule, form=form, ticked=keys)
    messages.success(request, f"{counted(number, 'finding')} accepted as known.")
    return HttpResponseRedirect(rule_url(rule))


@require_POST
def withdraw_one(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an acceptance back."""
    accepted = AcceptedFinding.objects.filter(pk=pk).first()
    if accepted is None:
        raise Http404("There is no such acceptance.")
    try:
        withdraw(accepted, actor=actor_of(request))
        messages.success(request, f"{accepted.object_name} counts as a finding again.")
    except QualityError as refusal:
        messages.warning(request, str(refusal))
    return HttpResponseRedirect(rule_url(rule_or_404(accepted.rule)))


def _page(
    request: HttpRequest, context: dict[str, Any], rule: Rule, *, form: AcceptForm, ticked: list[str] | None = None
) -> HttpResponse:
    found = rule.in_order(with_links(rule, few_findings_of(rule)))
    page = KeysFirstPaginator(found, PER_PAGE).get_page(request.GET.get("p"))
    ticked = ticked or []
    more = {
        "title": rule.title,
        "rule": rule,
        "form": form,
        "page": page,
        "rows": [_row(rule, row, ticked) for row in page.object_list],
        "fields": [field_label(rule.model_class, name) for name in rule.fields],
        "accepted": list(standing().filter(rule=rule.code)[:ACCEPTED_SHOWN]),
        "over": list(over(rule)[:OVER_SHOWN]),
        "may_accept": request.user.has_perm(ACCEPT),
        "noun": rule.model_class._meta.verbose_name,
        "plural": rule.model_class._meta.verbose_name_plural,
        "mend": {"rule": rule, **mending(rule, request)},
    }
    return TemplateResponse(request, "admin/quality/finding/rule.html", {**context, **more})


def _row(rule: Rule, row: Any, ticked: list[str]) -> dict[str, Any]:
    return {
        "key": str(row.pk),
        "name": str(row),
        "url": page_of(row),
        "values": values_of(rule, row),
        "ticked": str(row.pk) in ticked,
    }
