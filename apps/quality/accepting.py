"""Accepting findings as known, with a reason, until a day or forever; and taking that back."""

from collections.abc import Iterable
from datetime import date

from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from apps.changesets.history.stable_key import STABLE, object_key_of
from apps.changesets.history.words import full_name
from apps.changesets.models import Actor
from apps.changesets.tracking import Tracked, tracked_for
from apps.quality.errors import QualityError
from apps.quality.models import AcceptedFinding
from apps.quality.rules import Rule


def accepted_of(rules: Iterable[Rule], *, using: str = "default") -> dict[str, list[str]]:
    """Return the object keys that are accepted today, by the code of the rule; one query."""
    keys: dict[str, list[str]] = {rule.code: [] for rule in rules}
    for code, key in standing(using=using).filter(rule__in=keys).values_list("rule", "object_key"):
        keys[code].append(key)
    return keys


def standing(*, using: str = "default") -> QuerySet[AcceptedFinding]:
    """Return the acceptances that are valid today: neither withdrawn nor expired."""
    today = timezone.localdate()
    acceptances = AcceptedFinding.objects.using(using).filter(withdrawn_at=None)
    return acceptances.filter(Q(until=None) | Q(until__gte=today))


def over(rule: Rule) -> QuerySet[AcceptedFinding]:
    """Return the withdrawn and expired acceptances of a rule, newest first."""
    return AcceptedFinding.objects.filter(rule=rule.code).exclude(pk__in=standing().values("pk"))


def keys_condition(model: type[Model], keys: Iterable[str]) -> Q:
    """Return the condition that a row of the model has one of the object keys."""
    stable: list[str] = []
    primary: list[str] = []
    for key in keys:
        (stable if key.startswith(STABLE) else primary).append(key[3:])
    condition, tracked = Q(pk__in=primary), _tracked(model)
    if stable and tracked and tracked.stable_field:
        condition |= Q(**{f"{tracked.stable_field.name}__in": stable})
    return condition


def _tracked(model: type[Model]) -> Tracked | None:
    """Return the description of the model; a project's rules may be about models whose changes are not recorded."""
    try:
        return tracked_for(model)
    except LookupError:
        return None


@transaction.atomic
def accept(rule: Rule, rows: QuerySet, *, reason: str, until: date | None, actor: Actor) -> int:
    """Accept those of the rows that are findings of the rule, and return how many; data does not change.

    Raises QualityError without a reason, for a day that is over, and when none of the rows is a finding.
    """
    if not reason.strip():
        raise QualityError("Say why: others will read it beside the finding.")
    if until is not None and until < timezone.localdate():
        raise QualityError(f"{until:%Y-%m-%d} is over: choose today or a later day, or leave it empty.")
    taken = set(accepted_of([rule])[rule.code])
    findings = {object_key_of(obj): str(obj)[:300] for obj in rule.find(rows).order_by("pk")}
    new = {key: name for key, name in findings.items() if key not in taken}
    if not new:
        raise QualityError(f"None of these is a finding of {rule.code} any more: somebody mended or accepted it.")
    # An expired acceptance makes room; it stays in the list as withdrawn on its last day.
    AcceptedFinding.objects.filter(rule=rule.code, object_key__in=new, withdrawn_at=None).update(
        withdrawn_at=timezone.now(), withdrawn_by_name="its day"
    )
    common = {
        "rule": rule.code,
        "model": rule.model,
        "reason": reason.strip(),
        "until": until,
        "actor": actor,
        "actor_name": full_name(actor) if actor is not None else "",
    }
    AcceptedFinding.objects.bulk_create(
        AcceptedFinding(object_key=key, object_name=name, **common) for key, name in new.items()
    )
    return len(new)


def withdraw(accepted: AcceptedFinding, *, actor: Actor) -> None:
    """Take an acceptance back: the row is a finding again; raises QualityError when it was taken back already."""
    changed = AcceptedFinding.objects.filter(pk=accepted.pk, withdrawn_at=None).update(
        withdrawn_at=timezone.now(), withdrawn_by_name=full_name(actor) if actor is not None else ""
    )
    if not changed:
        raise QualityError(f"{accepted.object_name} is no longer accepted: somebody withdrew it since then.")
