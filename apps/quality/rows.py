"""The rows of a rule: the values that are shown of each, and all of them as a file."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from django.db.models import Model, QuerySet

from apps.changesets.fields import field_of, target_of
from apps.changesets.history.values import field_label, in_words, value_label
from apps.changesets.rights import Sees
from apps.changesets.text import csv_parts
from apps.quality.findings import findings_of
from apps.quality.rules import Rule

HEADER = ("rule", "severity", "model", "object", "name", "what")
_CHUNK = 2000


def with_links(rule: Rule, rows: QuerySet) -> QuerySet:
    """Return the rows with the linked objects that are shown, in the same query."""
    links = [name for name in rule.fields if field_of(rule.model_class, name).is_relation]
    return rows.select_related(*links) if links else rows


def values_of(rule: Rule, row: Model, *, sees: Sees) -> list[tuple[str, str]]:
    """Return the fields of a row that the rule shows: the name and the value of each, in words."""
    return [(field_label(rule.model_class, name), _shown(row, name, sees)) for name in rule.fields]


def findings_as_csv(rules: Iterable[Rule], *, sees: Sees) -> Iterator[str]:
    """Yield the findings of the rules as CSV, a line for each, safe for spreadsheets."""
    return csv_parts(chain([HEADER], _lines(rules, sees)))


def _lines(rules: Iterable[Rule], sees: Sees) -> Iterator[list[Any]]:
    for rule in rules:
        for row in rule.in_order(with_links(rule, findings_of(rule))).iterator(chunk_size=_CHUNK):
            values = "; ".join(f"{name} {shown}" for name, shown in values_of(rule, row, sees=sees))
            yield [rule.code, rule.severity.value, rule.model, str(row.pk), str(getattr(row, "name", row)), values]


def _shown(row: Model, name: str, sees: Sees) -> str:
    field = field_of(type(row), name)
    hidden = field.is_relation and not sees(target_of(field))
    value: Any = value_label(field, getattr(row, field.attname if hidden else name))
    return f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else in_words(value)
