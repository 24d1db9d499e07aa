"""What the page of a revert lets a person choose: models, fields, and what becomes of values that others changed."""

from typing import Any

from apps.changesets.history.counts import counts_of_many
from apps.changesets.models import Changeset
from apps.changesets.pages.plan_query import PlanQuery
from apps.changesets.revert import OnConflict
from apps.changesets.tracking import tracked_models

POLICIES = (
    (OnConflict.KEEP, "Keep what others changed since.", "Their values stay; the rest goes back."),
    (OnConflict.FORCE, "Overwrite what others changed since.", "Their values stay in history only."),
    (OnConflict.ABORT, "All or nothing.", "If anything would be kept or blocked, nothing is reverted."),
)


def choices_of(query: PlanQuery, chosen: list[Changeset]) -> dict[str, Any]:
    """Return the models, fields and policies that can be chosen, and which of them are."""
    counts = counts_of_many(chosen)
    touched = [
        tracked for tracked in tracked_models() if any(tracked.label in counts[changeset.pk] for changeset in chosen)
    ]
    changed = _changed_fields(chosen)
    fields: dict[str, str] = {}
    for tracked in touched:
        for field in tracked.model._meta.concrete_fields:
            if (field.editable and changed is None) or (changed and field.name in changed):
                fields.setdefault(field.name, str(field.verbose_name))
    return {
        "model_choices": [
            (tracked.label, str(tracked.model._meta.verbose_name_plural), tracked.label in query.scope.models)
            for tracked in touched
        ],
        "field_choices": [(name, label, name in query.scope.fields) for name, label in fields.items()],
        "policy_choices": [(str(p), label, help_text, p == query.on_conflict) for p, label, help_text in POLICIES],
    }


def _changed_fields(chosen: list[Changeset]) -> set[str] | None:
    """Return the names of the fields that the changesets changed; None where one of them has not counted that."""
    counted = [changeset.field_counts for changeset in chosen if changeset.field_counts is not None]
    if len(counted) < len(chosen):
        return None
    return {name for counts in counted for of_model in counts.values() for name in of_model}
