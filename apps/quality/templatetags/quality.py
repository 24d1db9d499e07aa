"""Template tags of findings: severities in sign, word and colour."""

from typing import Any

from django import template
from django.utils.html import format_html

from apps.changesets.text import plural
from apps.quality.pages.addresses import rule_url
from apps.quality.pages.trend import Trend, trend_between
from apps.quality.rules import Rule, Severity, all_rules
from apps.quality.tallies import counts_around

register = template.Library()


@register.simple_tag
def severity(rule: Rule) -> str:
    """Return the severity of a rule with its sign, in its colour."""
    return format_html(
        '<span class="severity severity-{}"><b aria-hidden="true">{}</b> {}</span>',
        rule.severity.value,
        rule.sign,
        rule.severity.label,
    )


@register.simple_tag
def severity_count(of: Severity, sign: str, number: int) -> str:
    """Return so many findings of a severity: `! 2 errors`, in its colour."""
    return format_html(
        '<span class="severity severity-{}"><b aria-hidden="true">{}</b> <strong>{}</strong> {}</span>',
        of.value,
        sign,
        f"{number:,}",
        plural(number, of.label.lower()),
    )


@register.simple_tag
def trend(of: Trend) -> str:
    """Return the trend of a number of findings in words, with a sign and a colour."""
    return format_html('<span class="op op-{}"><b aria-hidden="true">{}</b> {}</span>', of.name, of.sign, of.words)


@register.simple_tag
def findings_around(changeset_id: int, planned: dict[str, Any] | None) -> dict[str, Any]:
    """Return how the findings differ before and after a changeset, as they were counted, else as its plan expected."""
    numbers = counts_around(changeset_id)
    lines = (planned or {}) if numbers is None else {c: n for c, n in numbers.items() if n["today"] != n["then"]}
    return {"counted": numbers is not None, "lines": findings_then(lines)}


@register.filter
def findings_then(counts: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the trend of each rule that a plan would change, the worse first; unknown rules are left out.

    Where the plan names them, its page can show the rows that would have such a finding.
    """
    known = {rule.code: rule for rule in all_rules()}
    # Plans that were stored by an older version have pairs.
    noted = {
        code: dict(zip(("today", "then"), n, strict=True)) if isinstance(n, list) else n for code, n in counts.items()
    }
    lines = [
        {
            "rule": known[code],
            "today": numbers["today"],
            "then": numbers["then"],
            "named": bool(numbers.get("keys")),
            "url": rule_url(known[code]),
            "trend": trend_between(numbers["today"], numbers["then"]),
        }
        for code, numbers in noted.items()
        if code in known
    ]
    order = list(Severity)
    return sorted(lines, key=lambda line: (line["then"] < line["today"], order.index(line["rule"].severity)))
