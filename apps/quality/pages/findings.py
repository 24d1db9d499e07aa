"""The list of rules: the number of findings of each, its trend, and what mends them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.utils.timezone import localdate
from django.views.decorators.http import require_POST, require_safe

from apps.changesets.acts.methods import stream_file
from apps.changesets.pages.bulk_registry import actions_of
from apps.changesets.rights import eyes_of, may_view
from apps.quality.findings import by_severity
from apps.quality.pages.addresses import ACCEPT, list_of_findings, rule_url
from apps.quality.pages.trend import since_words, trend_of
from apps.quality.rows import findings_as_csv
from apps.quality.rules import Rule, Severity, all_rules, rules_seen
from apps.quality.tallies import earlier_tally, newest_counted, take_tally

# Actions that can be planned for all findings of a rule at once; for others a person picks the rows.
FOR_ALL = ("relink", "clear_iata", "resolve_duplicates", "set_inactive", "set_active", "clear_city", "clear_country")


@dataclass(frozen=True)
class Narrowing:
    """A choice of rules by what they say of themselves, in the address of the list; an unknown one keeps all."""

    name: str
    label: str
    choices: tuple[tuple[str, str], ...]
    chosen: str

    @property
    def word(self) -> str:
        """The word of what is chosen; empty for all."""
        return dict(self.choices).get(self.chosen, "")

    def keeps(self, rule: Rule) -> bool:
        """Whether the rule is among those chosen."""
        return not self.word or getattr(rule, self.name) == self.chosen


@require_safe
def findings_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Show the rules with findings, the worst first, then the others, folded."""
    counted = newest_counted()
    earlier = earlier_tally(counted)
    sees = eyes_of(request.user)
    filters = _filters(rules_seen(sees), request)
    rules = [rule for rule in rules_seen(sees) if all(narrowing.keeps(rule) for narrowing in filters)]
    rows = [_row(rule, counted, earlier, request) for rule in rules]
    counts = {row["rule"].code: row["number"] for row in rows}
    order = list(Severity)
    with_findings = sorted((row for row in rows if row["number"]), key=lambda row: order.index(row["rule"].severity))
    own = {
        "title": "Findings",
        "found": with_findings,
        "clean": [row for row in rows if not row["number"]],
        "severities": [(severity, _sign(severity), n) for severity, n in by_severity(counts, sees=sees).items() if n],
        "filters": filters,
        "narrowed": [narrowing.word for narrowing in filters if narrowing.word],
        "accepted": sum(row["accepted"] for row in rows),
        "since": since_words(earlier),
        "keep": request.user.has_perm(ACCEPT) and not counted.kept,
    }
    return TemplateResponse(request, "admin/quality/finding/findings.html", {**context, **own})


@require_POST
def keep_counts(request: HttpRequest) -> HttpResponse:
    """Store the present counts for the trend; pages post this after counting."""
    take_tally(anew=False)
    return HttpResponse(status=204)


@require_safe
def findings_file(request: HttpRequest, rules: tuple[Rule, ...], name: str) -> StreamingHttpResponse:
    """Stream the findings of the rules as CSV."""
    lines = findings_as_csv(rules, sees=eyes_of(request.user))
    return stream_file(lines, f"{name}-{localdate():%Y-%m-%d}.csv")


def mending(rule: Rule, request: HttpRequest) -> dict[str, Any]:
    """Return how findings of the rule are mended in bulk: the list with them, and the action that is planned for all.

    What the person may not do is left out.
    """
    if not may_view(request.user, rule.model_class):
        return {}
    address = list_of_findings(rule)
    action = actions_of(rule.model).get(rule.action)
    if action is None or not request.user.has_perm(action.permission):
        return {"list_url": address}
    return {"list_url": address, "action": action, "at_once": rule.action in FOR_ALL and bool(address)}


def _row(rule: Rule, counted: Any, earlier: Any, request: HttpRequest) -> dict[str, Any]:
    number = counted.counts.get(rule.code, 0)
    return {
        "rule": rule,
        "url": rule_url(rule),
        "number": number,
        "accepted": counted.accepted.get(rule.code, 0),
        "trend": trend_of(rule.code, number, earlier),
        **(mending(rule, request) if number else {}),
    }


def _filters(rules: Iterable[Rule], request: HttpRequest) -> list[Narrowing]:
    models = {rule.model: str(rule.model_class._meta.verbose_name_plural).capitalize() for rule in rules}
    offered = (("severity", "Severity", Severity.choices), ("model", "What", models.items()))
    return [Narrowing(name, label, tuple(choices), request.GET.get(name, "")) for name, label, choices in offered]


def _sign(severity: Severity) -> str:
    return next(rule.sign for rule in all_rules() if rule.severity == severity)
