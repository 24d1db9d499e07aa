"""Rules: conditions that live rows must meet, each declared once. Any app may have a `quality_rules.py`.


register_rules(
    Rule(
        "name_missing", "airports.airport", Severity.ERROR, "Required fields", "Airports without a name",
        why="People look for airports by name.", mend="Give it its name on its page.", broken=Q(name=""),
    ),
)
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from django.apps import apps
from django.db.models import Model, Q, QuerySet, TextChoices

from apps.changesets.rights import Sees


class Severity(TextChoices):
    """How bad it is, the worst first."""

    ERROR = "error", "Error"
    WARNING = "warning", "Warning"
    INFO = "info", "Remark"


# The sign of each severity, so that colour is never the only mark.
SIGNS = {Severity.ERROR: "!", Severity.WARNING: "~", Severity.INFO: "·"}


@dataclass(frozen=True)
class Rule:
    """One thing that may be wrong with the rows of a model (a label).

    `broken` is the condition of a row that breaks it, or a function that keeps such rows of a queryset: one for what
    a condition on single rows cannot say. Conditions of one model are counted together, in one reading of the table.
    `title` says in a few words what the rows have in common, `why` what is bad about it, `mend` what to do; `action`
    is the bulk action of the model's list that mends it; `fields` are shown of each row beside its name. Where several
    rows break it together, `order` puts them beside each other.
    """

    code: str
    model: str
    severity: Severity
    section: str
    title: str
    why: str
    mend: str
    broken: Q | Callable[[QuerySet], QuerySet]
    action: str = ""
    fields: tuple[str, ...] = ()
    order: tuple[str, ...] = ()

    @cached_property
    def model_class(self) -> type[Model]:
        """The model whose rows are looked at."""
        return apps.get_model(self.model)

    @property
    def sign(self) -> str:
        """The sign of its severity."""
        return SIGNS[self.severity]

    def in_order(self, rows: QuerySet) -> QuerySet:
        """Return the rows as they are shown."""
        return rows.order_by(*self.order, "pk")

    def find(self, rows: QuerySet) -> QuerySet:
        """Keep those of the rows that break the rule."""
        return rows.filter(self.broken) if isinstance(self.broken, Q) else self.broken(rows)


_rules: dict[str, Rule] = {}


def register_rules(*rules: Rule) -> None:
    """Add rules; a rule with the code of another replaces it, so that a project can change a rule of ours."""
    _rules.update({rule.code: rule for rule in rules})


def all_rules() -> tuple[Rule, ...]:
    """Return every rule, in the order in which they were registered."""
    return tuple(_rules.values())


def rules_seen(sees: Sees) -> tuple[Rule, ...]:
    """Return the rules about models that may be seen."""
    return tuple(rule for rule in _rules.values() if sees(rule.model_class))


def rule_named(code: str) -> Rule:
    """Return the rule with this code; raises LookupError that names all codes."""
    try:
        return _rules[code]
    except KeyError:
        raise LookupError(f"No rule is called {code!r}; there are: {', '.join(sorted(_rules))}.") from None


def rules_of(label: str) -> tuple[Rule, ...]:
    """Return the rules about a model (a label)."""
    return tuple(rule for rule in _rules.values() if rule.model == label)


def rules_by_section() -> dict[str, list[Rule]]:
    """Return the rules by the section that a report shows them in, in order."""
    by_section: dict[str, list[Rule]] = {}
    for rule in _rules.values():
        by_section.setdefault(rule.section, []).append(rule)
    return by_section
