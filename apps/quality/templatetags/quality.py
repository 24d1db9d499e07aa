"""Template tags of findings: severities in sign, word and colour."""

from django import template
from django.utils.html import format_html

from apps.quality.rules import Rule, Severity

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


@register.filter
def severity_word(of: Severity, number: int) -> str:
    """Return the severity as a noun of a number: `1 error`, `2 errors`."""
    return of.label.lower() + ("" if number == 1 else "s")
