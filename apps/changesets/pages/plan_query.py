"""What the address of a revert plan asks for: changesets, scope, policy, rows; and the choices that its page offers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth.models import User
from django.http import QueryDict
from django.utils.http import urlencode

from apps.changesets.errors import ChangesetError, EmptyScope, UnknownChangeset
from apps.changesets.history.counts import counts_of_many
from apps.changesets.models import Changeset
from apps.changesets.pages.stored_rows import read_rows_query, searched_in
from apps.changesets.plans.rows import keys_of
from apps.changesets.plans.storing import ask
from apps.changesets.revert import OnConflict, Scope, changesets_since
from apps.changesets.revert.stored import asked_of, planned_revert, scope_numbered, shown_revert
from apps.changesets.text import whole_number
from apps.changesets.tracking import tracked_by_name, tracked_models

MANY = 100
MOST_IN_ADDRESS = 50
POLICIES = (
    (OnConflict.KEEP, "Keep what others changed since.", "Their values stay; the rest goes back."),
    (OnConflict.FORCE, "Overwrite what others changed since.", "Their values stay in history only."),
    (OnConflict.ABORT, "All or nothing.", "If anything would be kept or blocked, nothing is reverted."),
)


@dataclass(frozen=True)
class PlanQuery:
    """The plan that an address asks for; `many` tells the page of several changesets from that of one.

    More rows than fit into an address, left in or out, are those of the stored plan of the number `stored`.
    """

    changesets: tuple[int, ...]
    scope: Scope
    on_conflict: OnConflict
    many: bool = False
    stored: int | None = None

    def parameters(self, **changed: Any) -> list[tuple[str, str]]:
        """Return what stands in the address that asks for the same plan but for what is given."""
        query = replace(self, **{**({"stored": None} if "scope" in changed else {}), **changed})
        scope = query.scope
        values = [("ids", ",".join(map(str, query.changesets)) if query.many else "")]
        named = [("model", scope.models[:1]), ("field", scope.fields)]
        if query.stored is not None:
            values.append(("plan", str(query.stored)))
        else:
            named += [("only", scope.pks), ("not", scope.leave)]
        values += [(name, value) for name, chosen in named for value in chosen]
        if query.on_conflict != OnConflict.KEEP:
            values.append(("on_conflict", str(query.on_conflict)))
        return [(name, value) for name, value in values if value]

    def fixed(self) -> list[tuple[str, str]]:
        """Return what stands in the address besides what the form of the choice asks for."""
        chosen = ("model", "field", "on_conflict")
        return [(name, value) for name, value in self.parameters() if name not in chosen]

    def address(self, **changed: Any) -> str:
        """Return the query of that address."""
        return "?" + urlencode(self.parameters(**changed))


def chosen_changesets(asked: QueryDict, pk: int | None) -> list[Changeset]:
    """Return the changesets of a page, newest first; raises UnknownChangeset, and where there are none or too many."""
    chosen = _chosen(asked, pk)
    if not chosen or len(chosen) > MANY:
        raise ChangesetError(_wrong_number(len(chosen)))
    return chosen


def _chosen(asked: QueryDict, pk: int | None) -> list[Changeset]:
    if pk is not None:
        return _found([pk])
    since = whole_number(asked.get("since", ""))
    if since is not None:
        return changesets_since(_found([since])[0].created_at)
    # A number that no changeset can have is told as such, if it can be read out at all.
    numbers = [whole_number(text, digits=40) for text in asked.get("ids", "").split(",")]
    return _found([number for number in numbers if number is not None])


def _found(pks: Sequence[int]) -> list[Changeset]:
    wanted = [pk for pk in dict.fromkeys(pks) if pk < 2**63]
    changesets = list(Changeset.objects.select_related("actor").filter(pk__in=wanted[: MANY + 1]).order_by("-pk"))
    for missing in {*pks[: MANY + 1]} - {changeset.pk for changeset in changesets}:
        raise UnknownChangeset(f"There is no changeset #{missing}: the list shows those that there are.")
    return changesets


def _wrong_number(number: int) -> str:
    if not number:
        return "No changeset is chosen: tick those to revert in the list of changesets."
    return f"At most {MANY} changesets can be reverted at once: begin with the newest ones."


def read_plan_query(asked: QueryDict, chosen: Sequence[Changeset], *, actor: User, many: bool) -> PlanQuery:
    """Return which plan is asked for."""
    number = whole_number(asked.get("plan", ""))
    policy, scope = asked.get("on_conflict", ""), _scope(asked)
    if number is not None:
        rows = scope_numbered(number, chosen, actor=actor)
        scope = replace(scope, pks=rows.pks, leave=rows.leave)
    return PlanQuery(
        tuple(changeset.pk for changeset in chosen),
        scope,
        OnConflict(policy) if policy in list(OnConflict) else OnConflict.KEEP,
        many=many,
        stored=number,
    )


def narrowed(
    query: PlanQuery, asked: QueryDict, chosen: Sequence[Changeset], *, actor: User, stores: bool
) -> PlanQuery:
    """Return the query with the ticked rows of its plan, or all that a filter leaves, left in or out.

    More rows than fit into an address stay with a plan that is stored. Raises EmptyScope with a sentence where nothing
    is ticked, or nothing may be stored.
    """
    if not asked.get("ticked"):
        return query
    ticked = [key for key in asked.getlist("tick") if key]
    if asked.get("every"):
        plan_of = planned_revert if stores else shown_revert
        plan = plan_of(chosen, scope=query.scope, on_conflict=query.on_conflict, actor=actor).stored
        ticked = keys_of(plan, searched_in(plan, read_rows_query(asked).wanted))
    scope = _with_ticked(query.scope, tuple(dict.fromkeys(ticked)), only=asked["ticked"] == "only")
    if len(scope.pks) + len(scope.leave) <= MOST_IN_ADDRESS:
        return replace(query, scope=scope, stored=None)
    if not stores:
        raise EmptyScope("An address names no more rows than that: choose them by the buttons under the rows.")
    plan = ask(asked_of(chosen, scope=scope, on_conflict=query.on_conflict, actor=actor))
    return replace(query, scope=scope, stored=plan.pk)


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


def _with_ticked(scope: Scope, ticked: tuple[str, ...], *, only: bool) -> Scope:
    if not ticked:
        raise EmptyScope("No row is ticked: tick the rows that you mean, then choose again.")
    if only:
        return replace(scope, pks=ticked)
    return replace(scope, leave=tuple(dict.fromkeys((*scope.leave, *ticked))))


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
