"""Deleting many objects: what forbids it, which links it clears, and which other objects it deletes."""

from collections.abc import Iterator
from typing import Any

from django.db import models

from apps.changesets.acts.lines import Line
from apps.changesets.bulk.apply import BulkWork
from apps.changesets.bulk.plans import BulkPlan, Listed, Options, sample_of
from apps.changesets.bulk.rehearsal import rehearsed
from apps.changesets.bulk.selection import Selection
from apps.changesets.bulk.setting import write_values
from apps.changesets.fields import AnyField
from apps.changesets.models import Kind
from apps.changesets.text import counted, plural
from apps.changesets.tracking import is_tracked

NAMED = 10


def deleting(*along: str) -> BulkWork:
    """Return the work that deletes the selected objects, and those that point to them by the relations `along`, or
    by one that Django cascades.

    Other objects that must not lose what they point to forbid it; those that may, lose their link.
    """

    def plan(selection: Selection, options: Options) -> BulkPlan:
        objects = counted(selection.number, selection.model)
        refusal, listed, way_out, lines = "", [], "", []
        for relation in _holding(selection.model, along):
            holders = selection.pointing(relation.related_model, relation.field.name)
            if number := holders.count():
                refusal, way_out = _refusal(selection, holders, relation.field), f"clear_{relation.field.name}"
                listed.append(_held(selection, holders, relation.field))
                lines.append(_in_the_way(holders.model, number))
        for rows in _going(selection, along):
            for relation in _holding(rows.model, ()):
                holders = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": rows})
                if number := holders.count():
                    refusal = refusal or _refusal_along(rows.model, holders)
                    lines.append(_in_the_way(holders.model, number))
        lines += _would_become(selection, along, will="would" if refusal else "will")
        sample = sample_of(selection.rows())
        return BulkPlan(
            0 if refusal else selection.number,
            objects,
            f"{objects} deleted.",
            tuple(lines),
            sample,
            tuple(listed),
            refusal=refusal,
            way_out=way_out,
        )

    def write(selection: Selection, plan: BulkPlan, options: Options) -> None:
        for rows, field in _losing(selection, along):
            write_values(rows, {field.name: None})
        for rows in _going(selection, along):
            delete_rows(rows)
        delete_rows(selection.rows())

    return BulkWork(Kind.DELETE, plan, write, deletes=lambda options: True)


def _would_become(selection: Selection, along: tuple[str, ...], *, will: str) -> Iterator[Line]:
    """Yield what becomes of the selected objects, of those that go along, and of the links that are cleared."""
    yield Line("deleted", selection.number, f"{plural(selection.number, selection.model)} {will} be deleted")
    for rows in _going(selection, along):
        if number := rows.count():
            yield Line("deleted", number, _along(selection, rows.model, number, will=will))
    for rows, field in _losing(selection, along):
        if number := rows.count():
            to = _them(selection, field)
            yield Line("changed", number, f"{plural(number, rows.model)} {will} no longer be linked to {to}")


def delete_rows(rows: models.QuerySet[Any]) -> None:
    """Delete the rows by one statement; the database refuses where others still point to them."""
    if rehearsal := rehearsed():
        rehearsal.delete(rows)
    else:
        rows.order_by()._raw_delete(rows.db)


def relations_to(model: type[models.Model]) -> list[models.ForeignObjectRel]:
    """Return the relations by which other objects point to those of a model."""
    return [relation for relation in model._meta.related_objects if relation.one_to_many or relation.one_to_one]


def _goes_along(relation: models.ForeignObjectRel, along: tuple[str, ...]) -> bool:
    """Whether what points by this relation is deleted too; only where that is recorded, so that it can be undone."""
    return relation.name in along or (relation.on_delete is models.CASCADE and is_tracked(relation.related_model))


def _holding(model: type[models.Model], along: tuple[str, ...]) -> list[models.ForeignObjectRel]:
    """Return the relations by which others keep objects of a model from being deleted."""
    return [
        relation
        for relation in relations_to(model)
        if relation.on_delete is not models.SET_NULL and not _goes_along(relation, along)
    ]


def _losing_by(model: type[models.Model]) -> list[models.ForeignObjectRel]:
    return [relation for relation in relations_to(model) if relation.on_delete is models.SET_NULL]


def _going(selection: Selection, along: tuple[str, ...]) -> list[models.QuerySet[Any]]:
    return [
        selection.pointing(relation.related_model, relation.field.name)
        for relation in relations_to(selection.model)
        if _goes_along(relation, along)
    ]


def _losing(selection: Selection, along: tuple[str, ...]) -> Iterator[tuple[models.QuerySet[Any], AnyField]]:
    """Yield the objects that lose a link to what is deleted, by the field that has it."""
    for relation in _losing_by(selection.model):
        yield selection.pointing(relation.related_model, relation.field.name), relation.field
    for rows in _going(selection, along):
        for relation in _losing_by(rows.model):
            holders = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": rows.values("pk")})
            yield holders, relation.field


def _along(selection: Selection, model: type[models.Model], number: int, *, will: str) -> str:
    whose, go = plural(selection.number, "its", "their"), plural(number, "goes", "go")
    return f"of {whose} {model._meta.verbose_name_plural} {'would go' if will == 'would' else go} along"


def _them(selection: Selection, field: AnyField) -> str:
    if field.related_model is not selection.model:
        return f"a {field.verbose_name}"
    return plural(selection.number, "it", "them")


def _refusal(selection: Selection, holders: models.QuerySet[Any], field: AnyField) -> str:
    number, names = holders.count(), counted(holders.count(), holders.model)
    held = selection.rows().filter(pk__in=holders.order_by().values(field.name))
    few = list(held.order_by("pk")[:2])
    to = str(few[0]) if len(few) == 1 else f"{held.count():,} of these {selection.model._meta.verbose_name_plural}"
    point, their = plural(number, "points", "point"), plural(number, "its", "their")
    mend = f"clear {their} {field.verbose_name} first" if field.null else "delete or change what points first"
    return f"{names} {point} to {to}: {mend}. Nothing was deleted."


def _refusal_along(model: type[models.Model], holders: models.QuerySet[Any]) -> str:
    names = counted(holders.count(), holders.model)
    return (
        f"{names} would be left pointing to {model._meta.verbose_name_plural} that go along: delete or change these "
        "first. Nothing was deleted."
    )


def _in_the_way(model: type[models.Model], number: int) -> Line:
    words = f"{plural(number, model)} {plural(number, 'stands', 'stand')} in the way"
    return Line("blocked", number, words)


def _held(selection: Selection, holders: models.QuerySet[Any], field: AnyField) -> Listed:
    by_object = dict(
        holders.order_by().values_list(field.name).annotate(n=models.Count("pk")).order_by("-n", field.name)[:NAMED]
    )
    objects = selection.model._base_manager.in_bulk(list(by_object))
    names = tuple(f"{objects[key]}: {counted(number, holders.model)}" for key, number in by_object.items())
    number = holders.order_by().values(field.name).distinct().count()
    return Listed(f"{plural(number, selection.model)} cannot be deleted", number, names)
