"""The rows of a stored plan on a page: buckets, bars by model and field, filters, values now and after, pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.http import urlencode
from django.utils.text import capfirst

from apps.changesets.history.planned_values import PlannedValues
from apps.changesets.history.selection import stored_place
from apps.changesets.history.values import field_label
from apps.changesets.models import PlanRow, StoredPlan
from apps.changesets.pages.changes_query import place_name, places_of
from apps.changesets.pages.changeset import bars_of
from apps.changesets.pages.paging import rows_on_page
from apps.changesets.pages.plan_rows import ShownRow, rows_of
from apps.changesets.plans.rows import PARTLY, Wanted
from apps.changesets.plans.rows import rows_of as stored_rows
from apps.changesets.revert.verdicts import Bucket, Verdict
from apps.changesets.rights import Sees
from apps.changesets.sql import Sql
from apps.changesets.text import whole_number
from apps.changesets.tracking import Tracked, tracked_by_label, tracked_by_name

# The buckets of rows that get other values in some fields, and the bucket of those that go.
CHANGED = ("restored", "changed")
DELETED = "deleted"
# What a person must know of comes first.
FIRST = ("blocked", "kept", PARTLY)


@dataclass(frozen=True)
class RowBucket:
    """A bucket of a plan as a chip: its name, the sign of its rows, and its word."""

    name: str
    sign: str
    word: str


@dataclass(frozen=True)
class RowsQuery:
    """Which rows an address asks for; `rest` is what else stands in it."""

    wanted: Wanted
    start: int = 0
    rest: tuple[tuple[str, str], ...] = ()

    def address(self, *, start: int = 0, **changed: str) -> str:
        """Return the query of the address that asks for the same rows but for what is given."""
        return "?" + urlencode([*self.rest, *self.parameters(start=start, **changed)])

    def parameters(self, *, start: int = 0, **changed: str) -> list[tuple[str, str]]:
        """Return what stands in the address of these rows."""
        wanted = replace(self.wanted, **changed)
        values = [(name, getattr(wanted, field)) for name, field in NAMES.items()]
        return [(name, value) for name, value in [*values, ("start", str(start) if start else "")] if value]


# What the filters are called in addresses, where `model` and `field` are those of the scope of a revert.
NAMES = {"bucket": "bucket", "kind": "model", "in": "field", "place": "place", "q": "text"}


def read_rows_query(get: QueryDict, rest: Sequence[tuple[str, str]] = ()) -> RowsQuery:
    """Return which rows an address asks for."""
    asked = {field: get.get(name, "").strip()[:200] for name, field in NAMES.items()}
    start = whole_number(get.get("start", ""), digits=9) or 0
    # A model that the address gets wrong is left out.
    known = tracked_by_name(asked["model"])
    return RowsQuery(Wanted(**asked | {"model": known.label if known else ""}), start, tuple(rest))


def rows_context(
    plan: StoredPlan,
    query: RowsQuery,
    buckets: Sequence[RowBucket],
    sees: Sees,
) -> dict[str, Any]:
    """Return the rows that the address asks for, and the ways to all others; `rows` are as they are stored.

    Without a bucket in the address it is the first that has any in the order of FIRST. The plan's head has how many
    objects change in which field, by model.
    """
    numbers: dict[str, dict[str, int]] = plan.head["by_model"]
    fields: dict[str, dict[str, int]] = plan.head.get("fields") or {}
    totals = {bucket.name: sum(of.get(bucket.name, 0) for of in numbers.values()) for bucket in buckets}
    occurring = [bucket for bucket in buckets if totals[bucket.name]]
    wanted = query.wanted
    if not totals.get(wanted.bucket):
        names = [bucket.name for bucket in occurring]
        wanted = replace(wanted, bucket=min(names, key=(*FIRST, *names).index, default=""))
        query = replace(query, wanted=wanted, start=0 if query.wanted.bucket else query.start)
    number = None if wanted.filtered else totals.get(wanted.bucket, 0)
    rows = stored_rows(plan, searched_in(plan, wanted))
    of_bucket = {label: of[wanted.bucket] for label, of in numbers.items() if of.get(wanted.bucket)}
    return {
        "rows_query": query,
        "bucket": wanted.bucket,
        "wanted": wanted,
        "buckets": [
            (b.sign, capfirst(b.word), totals[b.name], query.address(bucket=b.name, field=""), b.name == wanted.bucket)
            for b in occurring
        ],
        "bars": list(_bars(query, of_bucket, fields, sees)),
        **rows_on_page(rows, start=query.start, number=number, address=query.address),
        "unfiltered": replace(query, wanted=Wanted(wanted.bucket)).address(),
        **_choices(query, of_bucket, fields, sees),
    }


def _bars(query: RowsQuery, of_bucket: Mapping[str, int], fields: Mapping[str, Mapping[str, int]], sees: Sees) -> Any:
    """Yield titles with their bars: the objects of the bucket by model, and the changed ones by field."""
    wanted = query.wanted
    if len(of_bucket) > 1:
        titled = {label: str(tracked_by_label(label).model._meta.verbose_name_plural) for label in of_bucket}
        yield (
            "By kind",
            bars_of(
                of_bucket,
                lambda label: capfirst(titled[label]),
                lambda label: query.address(model=label, field=""),
                chosen=wanted.model,
            ),
        )
    for label, numbers in fields.items():
        tracked = tracked_by_label(label)
        if wanted.bucket in CHANGED and wanted.model in ("", label) and sees(tracked.model):
            yield (
                f"{capfirst(str(tracked.model._meta.verbose_name_plural))} by field",
                bars_of(
                    numbers,
                    partial(field_label, tracked.model),
                    lambda name, label=label: query.address(model=label, field=name),  # type: ignore[misc]  # bound now
                    chosen=wanted.field,
                ),
            )


def _choices(
    query: RowsQuery, of_bucket: Mapping[str, int], fields: Mapping[str, Mapping[str, int]], sees: Sees
) -> dict[str, Any]:
    """Return what the filters offer to choose from."""
    models = [tracked_by_label(label) for label in of_bucket]
    named = {name: field_label(tracked.model, name) for tracked in models for name in fields.get(tracked.label, ())}
    placed = _placed(models)
    return {
        "kinds": [(tracked.label, str(tracked.model._meta.verbose_name_plural)) for tracked in models]
        if len(models) > 1
        else [],
        "field_names": list(named.items()) if query.wanted.bucket in (*CHANGED, PARTLY, "kept") else [],
        "places": places_of(placed, sees) if placed else [],
        "place_name": place_name(placed) if placed else "",
        "place_model": placed.filter_model if placed else None,
    }


def _placed(models: Sequence[Tracked]) -> Tracked | None:
    """Return a model whose filter serves all of them, or None."""
    filters = {tracked.filter_model for tracked in models}
    return models[0] if len(filters) == 1 and models[0].filter_by else None


def searched_in(plan: StoredPlan, wanted: Wanted) -> Wanted:
    """Return what is asked for as the rows have it: keys of places as the database writes them."""
    placed = _placed([tracked_by_label(label) for label in plan.head["by_model"]])
    if not wanted.place or placed is None:
        return wanted
    try:
        return replace(wanted, place=str(stored_place(Sql(), placed, wanted.place)))
    except (ValidationError, ValueError, TypeError):
        return wanted


def plain_rows(context: Mapping[str, Any], signs: Mapping[str, str], sees: Sees) -> list[ShownRow]:
    """Return the rows of a context as they are shown, each with what its notes say; `signs` are by bucket."""
    rows: list[PlanRow] = context["rows"]
    verdicts = [
        Verdict(row.model, key_of(row), row.label, Bucket.RESTORED, (row.notes or {}).get("why", "")) for row in rows
    ]
    changes = shown_changes(context, sees)
    return [
        replace(shown, sign=signs[row.bucket], changes=changes[row.pk])
        for row, shown in zip(rows, rows_of(verdicts, sees), strict=True)
    ]


def key_of(row: PlanRow) -> str:
    """Return the primary key of a row's object as people write it."""
    return str(tracked_by_label(row.model).model._meta.pk.to_python(row.object_pk))


def shown_changes(context: Mapping[str, Any], sees: Sees) -> dict[int, list[Any]]:
    """Return what changes on each row of a context by its number, now and after; what goes has its values."""
    rows: list[PlanRow] = context["rows"]
    known = {context["place_model"]: dict(context["places"])} if context["places"] else {}
    changes: dict[int, list[Any]] = {}
    for label in {row.model for row in rows}:
        tracked = tracked_by_label(label)
        of_model = [row for row in rows if row.model == label]
        living = _values_of(tracked, [row.object_pk for row in of_model if row.bucket == DELETED])
        planned = {row.pk: living.get(row.object_pk, {}) if row.bucket == DELETED else row.changes for row in of_model}
        values = PlannedValues(tracked.model, planned.values(), sees=sees, known=known)
        changes |= {pk: values.changes(of_row) for pk, of_row in planned.items()}
    return changes


def _values_of(tracked: Tracked, keys: Sequence[str]) -> dict[str, dict[str, list[Any]]]:
    """Return the values of living objects by key, each with nothing after it."""
    if not keys:
        return {}
    model = tracked.model
    objects = model._base_manager.using("default").filter(pk__in=keys)
    return {
        key: {field.name: [getattr(obj, field.attname), None] for field in tracked.news}
        for obj in objects
        for key in (str(model._meta.pk.get_prep_value(obj.pk)), *([obj.pk.hex] if hasattr(obj.pk, "hex") else ()))
    }
