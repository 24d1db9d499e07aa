"""Deleting many objects: what forbids it in words, which links it clears, and what goes along."""

from collections.abc import Iterator

from django.db import models

from apps.changesets.bulk.operations import Operation
from apps.changesets.bulk.plans import BulkPlan, Line, Listed, Options, sample_of
from apps.changesets.bulk.selection import Selection
from apps.changesets.bulk.setting import write_values
from apps.changesets.models import Kind
from apps.changesets.numbers import counted, plural

NAMED = 10


def deleting(*along: str) -> Operation:
    """Return the operation that deletes the selected objects, and those that point to them by the relations `along`.

    Other objects that must not lose what they point to forbid it; those that may, lose their link.
    """

    def plan(selection: Selection, options: Options) -> BulkPlan:
        what = counted(selection.number, selection.model)
        refusal, listed, way_out, lines = "", [], "", []
        for relation in _relations(selection.model, models.PROTECT):
            holders = selection.pointing(relation.related_model, relation.field.name)
            if relation.name not in along and (number := holders.count()):
                refusal, way_out = _refusal(selection, holders, relation.field), f"clear_{relation.field.name}"
                listed.append(_held(selection, holders, relation.field))
                words = f"{plural(number, holders.model)} {plural(number, 'stands', 'stand')} in the way"
                lines.append(Line("blocked", number, words))
        lines += _would_become(selection, along, will="would" if refusal else "will")
        sample = sample_of(selection.rows())
        return BulkPlan(
            0 if refusal else selection.number, what, f"{what} deleted.", tuple(lines), sample, tuple(listed),
            refusal=refusal, way_out=way_out)  # fmt: skip

    def write(selection: Selection, plan: BulkPlan, options: Options) -> None:
        for rows, field in _losing(selection, along):
            write_values(rows, {field.name: None})
        for rows in _going(selection, along):
            delete_rows(rows)
        delete_rows(selection.rows())

    return Operation(Kind.DELETE, plan, write, deletes=lambda options: True)


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


def delete_rows(rows: models.QuerySet) -> None:
    """Delete the rows by one statement; what points to them was seen to before, and the database refuses otherwise."""
    rows.order_by()._raw_delete(rows.db)


def relations_to(model: type[models.Model]) -> list[models.ForeignObjectRel]:
    """Return the relations by which other objects point to those of a model."""
    return [relation for relation in model._meta.related_objects if relation.one_to_many or relation.one_to_one]


def _relations(model: type[models.Model], on_delete: object) -> list[models.ForeignObjectRel]:
    return [relation for relation in relations_to(model) if relation.on_delete is on_delete]


def _going(selection: Selection, along: tuple[str, ...]) -> list[models.QuerySet]:
    return [
        selection.pointing(relation.related_model, relation.field.name)
        for relation in relations_to(selection.model)
        if relation.name in along
    ]


def _losing(selection: Selection, along: tuple[str, ...]) -> Iterator[tuple[models.QuerySet, models.Field]]:
    """Yield the objects that lose a link to what is deleted, by the field that has it."""
    for relation in _relations(selection.model, models.SET_NULL):
        yield selection.pointing(relation.related_model, relation.field.name), relation.field
    for rows in _going(selection, along):
        for relation in _relations(rows.model, models.SET_NULL):
            holders = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": rows.values("pk")})
            yield holders, relation.field


def _along(selection: Selection, model: type[models.Model], number: int, *, will: str) -> str:
    whose, go = plural(selection.number, "its", "their"), plural(number, "goes", "go")
    return f"of {whose} {model._meta.verbose_name_plural} {'would go' if will == 'would' else go} along"


def _them(selection: Selection, field: models.Field) -> str:
    if field.related_model is not selection.model:
        return f"a {field.verbose_name}"
    return plural(selection.number, "it", "them")


def _refusal(selection: Selection, holders: models.QuerySet, field: models.Field) -> str:
    number, names = holders.count(), counted(holders.count(), holders.model)
    held = selection.rows().filter(pk__in=holders.order_by().values(field.name))
    few = list(held.order_by("pk")[:2])
    to = str(few[0]) if len(few) == 1 else f"{held.count():,} of these {selection.model._meta.verbose_name_plural}"
    point, their = plural(number, "points", "point"), plural(number, "its", "their")
    return f"{names} {point} to {to}: clear {their} {field.verbose_name} first. Nothing was deleted."


def _held(selection: Selection, holders: models.QuerySet, field: models.Field) -> Listed:
    by_object = dict(
        holders.order_by().values_list(field.name).annotate(n=models.Count("pk")).order_by("-n", field.name)[:NAMED]
    )
    objects = selection.model._base_manager.in_bulk(list(by_object))
    names = tuple(f"{objects[key]}: {counted(number, holders.model)}" for key, number in by_object.items())
    number = holders.order_by().values(field.name).distinct().count()
    return Listed(f"{plural(number, selection.model)} cannot be deleted", number, names)
