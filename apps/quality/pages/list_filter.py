"""A list filtered to the findings of a rule, by its code in the address."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.quality.findings import few_findings_of
from apps.quality.pages.addresses import PARAMETER
from apps.quality.rules import Rule, rule_named


class FindingFilter(admin.SimpleListFilter):
    """Keeps the findings of a rule; it shows only where an address asks for it."""

    title = "finding"
    parameter_name = PARAMETER

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        code = self.used_parameters.get(PARAMETER, "")
        rule = _rule_of(code, model_admin.opts.label_lower)
        return [(code, rule.title if rule else f"No rule is called {code[:40]}")] if code else []

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        code = self.value()
        if not code:
            return queryset
        rule = _rule_of(code, queryset.model._meta.label_lower)
        return queryset.filter(pk__in=few_findings_of(rule).values("pk")) if rule else queryset.none()


def order_of(request: HttpRequest, label: str) -> tuple[str, ...]:
    """Return the order of the rule that the address of a list of this model (a label) asks for; else none."""
    rule = _rule_of(request.GET.get(PARAMETER, ""), label)
    return (*rule.order, "pk") if rule and rule.order else ()


def _rule_of(code: str, label: str) -> Rule | None:
    try:
        rule = rule_named(code)
    except LookupError:
        return None
    return rule if rule.model == label else None
