"""The addresses of the pages of findings in the admin."""

from django.db.models import Model
from django.urls import NoReverseMatch, reverse

from apps.changesets.pages import links
from apps.quality.rules import Rule

VIEW, ACCEPT = "quality.view_findings", "quality.accept_findings"
PARAMETER = "finding"


def findings_url() -> str:
    """Return the address of the list of rules."""
    return reverse("admin:quality_findings")


def rule_url(rule: Rule, page: str = "rule") -> str:
    """Return the address of a page of a rule: its rows, the file of them, or where they are accepted."""
    return reverse(f"admin:quality_{page}", args=[rule.code])


def page_of(obj: Model) -> str:
    """Return the address of an object's page; empty where its model has none."""
    try:
        return links.object_url(type(obj), obj.pk)
    except NoReverseMatch:
        return ""


def list_of_findings(rule: Rule) -> str:
    """Return the address of the list of the model's objects with the findings of the rule; empty where it has none."""
    try:
        return f"{links.list_url(rule.model_class)}?{PARAMETER}={rule.code}"
    except NoReverseMatch:
        return ""
