"""Accepting findings as known: with a reason, until a day or for good; and taking that back."""

from collections.abc import Iterable

from django.db.models import Model, Q
from django.utils import timezone

from apps.changesets.tracking import tracked_for
from apps.quality.models import AcceptedFinding
from apps.quality.rules import Rule

STABLE, PRIMARY = "id:", "pk:"


def accepted_of(rules: Iterable[Rule], *, using: str = "default") -> dict[str, list[str]]:
    """Return the object keys that are accepted of each rule today, by the rule's code; one query."""
    keys: dict[str, list[str]] = {rule.code: [] for rule in rules}
    for code, key in standing(using=using).filter(rule__in=keys).values_list("rule", "object_key"):
        keys[code].append(key)
    return keys


def standing(*, using: str = "default") -> "AcceptedFinding.objects":
    """Return the acceptances that stand today: neither withdrawn nor run out."""
    today = timezone.localdate()
    found = AcceptedFinding.objects.using(using).filter(withdrawn_at=None)
    return found.filter(Q(until=None) | Q(until__gte=today))


def keys_condition(model: type[Model], keys: Iterable[str]) -> Q:
    """Return the condition that a row of the model is one of those that the keys name."""
    tracked, stable, primary = tracked_for(model), [], []
    for key in keys:
        (stable if key.startswith(STABLE) else primary).append(key[3:])
    condition = Q(pk__in=primary)
    if stable and tracked.stable_key:
        condition |= Q(**{f"{tracked.fields_by_column[tracked.stable_key].name}__in": stable})
    return condition
