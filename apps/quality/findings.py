"""Findings: the live rows that break a rule and are not accepted as known."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import connections
from django.db.models import Count, Q, QuerySet

from apps.changesets.rights import Sees, all_seen
from apps.quality.accepting import accepted_of, keys_condition
from apps.quality.rules import Rule, Severity, all_rules, rules_seen

FEW = 2000


def broken_rows(rule: Rule, *, using: str = "default") -> QuerySet:
    """Return the rows that break a rule, accepted ones included."""
    return rule.find(rule.model_class._base_manager.using(using).order_by())


def findings_of(rule: Rule, *, using: str = "default", accepted: Mapping[str, list[str]] | None = None) -> QuerySet:
    """Return the findings of a rule: the rows that break it and are not accepted, which who knows them may give."""
    keys = (accepted_of([rule], using=using) if accepted is None else accepted)[rule.code]
    broken = broken_rows(rule, using=using)
    return broken.exclude(keys_condition(rule.model_class, keys)) if keys else broken


def few_findings_of(rule: Rule, *, using: str = "default") -> QuerySet:
    """Return the findings of a rule for several queries: by key, when the rule is slow and the findings are few."""
    findings = findings_of(rule, using=using)
    if isinstance(rule.broken, Q):
        return findings
    keys = list(findings.values_list("pk", flat=True)[: FEW + 1])
    return findings if len(keys) > FEW else rule.model_class._base_manager.using(using).filter(pk__in=keys)


def count_findings(rules: Iterable[Rule] | None = None, *, using: str = "default") -> dict[str, int]:
    """Return how many findings each rule has, by its code, looked for now.

    The rules that are conditions on single rows take one query a model, each of the others one.
    """
    rules = all_rules() if rules is None else tuple(rules)
    accepted = accepted_of(rules, using=using)
    counts: dict[str, int] = {}
    for label in dict.fromkeys(rule.model for rule in rules):
        alone = [(rule, rule.broken) for rule in rules if rule.model == label and isinstance(rule.broken, Q)]
        if alone:
            rows = alone[0][0].model_class._base_manager.using(using).order_by()
            aggregates = {
                rule.code: Count("pk", filter=_not_accepted(rule, broken, accepted[rule.code]))
                for rule, broken in alone
            }
            counts |= rows.aggregate(**aggregates)
    for rule in rules:
        if rule.code not in counts:
            counts[rule.code] = findings_of(rule, using=using, accepted=accepted).count()
    return {rule.code: counts[rule.code] for rule in rules}


def count_accepted(*, using: str = "default") -> dict[str, int]:
    """Return how many rows that break a rule are accepted, by the rule's code; rules without any are left out."""
    accepted = accepted_of(all_rules(), using=using)
    return {
        rule.code: number
        for rule in all_rules()
        if (keys := accepted[rule.code])
        and (number := broken_rows(rule, using=using).filter(keys_condition(rule.model_class, keys)).count())
    }


def by_severity(counts: dict[str, int], *, sees: Sees = all_seen) -> dict[Severity, int]:
    """Return how many findings there are of each severity, the worst first, about models that may be seen."""
    severity_of = {rule.code: rule.severity for rule in rules_seen(sees)}
    return {
        severity: sum(n for code, n in counts.items() if severity_of.get(code) == severity) for severity in Severity
    }


def _not_accepted(rule: Rule, broken: Q, accepted: list[str]) -> Q:
    return broken & ~keys_condition(rule.model_class, accepted) if accepted else broken


@contextmanager
def reading_from(tables: Mapping[str, str], *, using: str = "default") -> Iterator[None]:
    """Let every statement within the block read the tables named on the right instead of those on the left.

    Names are whole and quoted in what Django and the rules write, so that none is taken for a part of another.
    """
    connection = connections[using]
    quote = connection.ops.quote_name
    names = {quote(table): quote(planned) for table, planned in tables.items()}

    def read(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        for table, planned in names.items():
            sql = sql.replace(table, planned)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(read):
        yield
