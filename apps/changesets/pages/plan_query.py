"""What the address of a revert plan asks for: changesets, scope, policy, rows; and the choices that its page offers."""

from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, QueryDict
from django.utils.http import urlencode

from apps.changesets.errors import EmptyScope
from apps.changesets.history.counts import counts_of_many
from apps.changesets.models import Changeset
from apps.changesets.revert import Bucket, OnConflict, Scope, Window
from apps.changesets.text import whole_number
from apps.changesets.tracking import tracked_by_name, tracked_models

MANY = 100
A_PAGE = 100
MOST_TICKED = 200
POLICIES = (
    (OnConflict.KEEP, "Keep what others changed since.", "Their values stay; the rest goes back."),
    (OnConflict.FORCE, "Overwrite what others changed since.", "Their values stay in history only."),
    (OnConflict.ABORT, "All or nothing.", "If anything would be kept or blocked, nothing is reverted."),
)


@dataclass(frozen=True)
class PlanQuery:
    """The plan that an address asks for; `many` tells the page of several changesets from that of one."""

    changesets: tuple[int, ...]
    scope: Scope
    on_conflict: OnConflict
    window: Window
    many: bool = False

    def address(self, **changed: Any) -> str:
        """Return the query of the address that asks for the same plan but for what is given."""
        query = replace(self, **changed)
        values: dict[str, Any] = {"ids": ",".join(map(str, query.changesets))} if query.many else {}
        if query.scope.models:
            values["model"] = query.scope.models[0]
        values |= {"field": query.scope.fields, "only": query.scope.pks, "not": query.scope.leave}
        if query.on_conflict != OnConflict.KEEP:
            values["on_conflict"] = str(query.on_conflict)
        if query.window.bucket:
            values["bucket"] = str(query.window.bucket)
        if query.window.start:
            values["start"] = query.window.start
        return "?" + urlencode({name: value for name, value in values.items() if value}, doseq=True)


def read_plan_query(request: HttpRequest, changesets: tuple[int, ...], *, many: bool) -> PlanQuery:
    """Return what the address asks for; raises EmptyScope with a sentence where too much is ticked or nothing."""
    get = request.GET
    scope = _scope(get)
    if get.get("ticked"):
        scope = _with_ticked(scope, get)
    policy = get.get("on_conflict", "")
    bucket, start = get.get("bucket", ""), get.get("start", "")
    window = Window(
        bucket=Bucket(bucket) if bucket in list(Bucket) else None,
        start=whole_number(start, digits=9) or 0,
        limit=A_PAGE,
    )
    known = OnConflict(policy) if policy in list(OnConflict) else OnConflict.KEEP
    return PlanQuery(changesets, scope, known, window, many=many)


def _scope(get: QueryDict) -> Scope:
    model = get.get("model", "").strip()
    tracked = tracked_by_name(model) if model else None
    only = [key for key in (*get.getlist("only"), *get.getlist("pk")) if key]
    return Scope(
        # What does not exist is refused by its name, with the plan.
        models=(tracked.label if tracked else model,) if model else (),
        pks=tuple(only),
        fields=tuple(dict.fromkeys(name for name in get.getlist("field") if name)),
        leave=tuple(key for key in get.getlist("not") if key),
    )


def _with_ticked(scope: Scope, get: QueryDict) -> Scope:
    ticked = tuple(dict.fromkeys(key for key in get.getlist("tick") if key))
    if not ticked:
        raise EmptyScope("No row is ticked: tick the rows that you mean, then choose again.")
    if get["ticked"] == "only":
        scope = replace(scope, pks=ticked)
    else:
        scope = replace(scope, leave=tuple(dict.fromkeys((*scope.leave, *ticked))))
    if len(scope.pks) + len(scope.leave) > MOST_TICKED:
        raise EmptyScope(
            f"At most {MOST_TICKED} rows can be chosen one by one: choose a model or fields, or do it in parts."
        )
    return scope


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
