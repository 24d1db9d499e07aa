"""A revert in words: its scope, and the numbers of its buckets."""

from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.utils.text import get_text_list

from apps.changesets.models import Changeset
from apps.changesets.plans.rows import PARTLY
from apps.changesets.revert.verdicts import Bucket, RevertPlan, Scope
from apps.changesets.rights import Sees
from apps.changesets.text import counted
from apps.changesets.tracking import tracked_by_name, tracked_models

DONE = {
    Bucket.RESTORED: "{:,} restored",
    Bucket.DELETED: "{:,} deleted",
    Bucket.RECREATED: "{:,} brought back",
    Bucket.KEPT: "{:,} kept",
    Bucket.BLOCKED: "{:,} blocked",
}
FEW = 3


def scope_words(scope: Scope, *, sees: Sees) -> str:
    """Return the part that a scope means: `only airports, only name and elevation`; nothing for everything.

    Objects are named to who may see them.
    """
    parts = []
    if scope.models:
        models = [tracked.model for label in scope.models if (tracked := tracked_by_name(label))]
        parts.append("only " + get_text_list([str(model._meta.verbose_name_plural) for model in models], "and"))
    if scope.fields:
        parts.append("only " + get_text_list([field_words(name) for name in scope.fields], "and"))
    if scope.pks:
        parts.append("only " + _objects(scope.pks, sees))
    if scope.leave:
        parts.append("without " + _objects(scope.leave, sees))
    return ", ".join(parts)


def field_words(name: str) -> str:
    """Return what a field is called, by its name or column; the first model that has it decides."""
    for tracked in tracked_models():
        for field in tracked.model._meta.concrete_fields:
            if name in (field.name, field.column):
                return str(field.verbose_name)
    return name


def counts_words(counts: dict[str, int]) -> str:
    """Return the numbers of a revert by bucket: `3 restored, 1 kept`."""
    return ", ".join(words.format(counts[bucket]) for bucket, words in DONE.items() if counts.get(bucket))


def whole_numbers(counts: Mapping[str, int], partly: int) -> dict[str, int]:
    """Return each object of a revert in one bucket only: those that go back but for some values in PARTLY."""
    if not partly:
        return dict(counts)
    less = {bucket: counts.get(bucket, 0) - partly for bucket in (Bucket.RESTORED, Bucket.KEPT)}
    return {**counts, PARTLY: partly} | {str(bucket): number for bucket, number in less.items()}


def objects_words(plan: RevertPlan) -> str:
    """Return what a revert would write, each kind with its number: `7 airports and 2 cities`."""
    numbers = {label: sum(counts.values()) for label, counts in plan.models.items()}
    parts = [
        counted(numbers[tracked.label], tracked.model) for tracked in tracked_models() if numbers.get(tracked.label)
    ]
    whole = parts and sum(numbers.values()) == plan.writes
    return get_text_list(parts, "and") if whole else counted(plan.writes, "object")


def scope_of(revert: Changeset) -> Scope:
    """Return the scope that a revert's changeset was about."""
    stored = (revert.summary or {}).get("scope") or {}
    return Scope(**{name: tuple(chosen) for name, chosen in stored.items() if name in Scope.__dataclass_fields__})


def part_words(revert: Changeset, *, sees: Sees) -> str:
    """Return which part a revert took back, and what it left alone: `only name; 3 kept, 2 blocked`."""
    counts: dict[str, Any] = (revert.summary or {}).get("revert") or {}
    left: dict[str, int] = {bucket: counts.get(bucket, 0) for bucket in (Bucket.KEPT, Bucket.BLOCKED)}
    return "; ".join(part for part in (scope_words(scope_of(revert), sees=sees), counts_words(left)) if part)


def _objects(keys: tuple[str, ...], sees: Sees) -> str:
    models = [tracked for key in keys if (tracked := tracked_by_name(key.partition(":")[0]))]
    named = models if len(models) == len(keys) else tracked_models()
    if len(keys) > FEW or not all(sees(tracked.model) for tracked in named):
        return counted(len(keys), "chosen row")
    return get_text_list([_object(key) for key in keys], "and")


def _object(key: str) -> str:
    label, _, pk = key.partition(":")
    if not pk or "." not in label:
        return key
    try:
        tracked = tracked_by_name(label)
        # By its newest name; dates can be equal, so by the number.
        rows = tracked.history_model._base_manager.filter(**{tracked.model._meta.pk.attname: pk}) if tracked else None
        row = rows.order_by("-history_id").first() if rows is not None else None
    except ValueError:
        row = None
    return f"{apps.get_model(label)._meta.verbose_name} {row.instance}" if row else pk
