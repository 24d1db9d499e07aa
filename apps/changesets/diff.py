"""What a changeset did, object by object and field by field."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models

from apps.changesets.models import Changeset
from apps.changesets.netting import net_objects, net_table
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_models

PAGE = 500
# Columns that say when, not what.
EMPTY = (None, "")
NOT_SHOWN = frozenset({"created_at", "updated_at"})


@dataclass(frozen=True)
class FieldChange:
    """One field, before and after; links by their label. `derived` fields follow others and are no news."""

    name: str
    label: str
    old: Any
    new: Any
    derived: bool = False


@dataclass(frozen=True)
class Change:
    """What happened to one object: `operation` is created, changed, renamed or deleted."""

    model: str
    operation: str
    pk: str
    old_pk: str
    label: str
    fields: tuple[FieldChange, ...]


def changes_of(
    changeset: Changeset,
    *,
    model: str | None = None,
    fields: Sequence[str] = (),
    start: int = 0,
    limit: int | None = None,
    using: str = "default",
) -> Iterator[Change]:
    """Yield the changes of a changeset by model and key, the models that others point to first.

    `model` (a label) and `fields` (names) leave only changes of those; `start` and `limit` count objects of the chosen
    models. Reads a page at a time.
    """
    sql = Sql(using)
    for tracked in tracked_models():
        if model and tracked.label != model:
            continue
        if changeset.counts is not None and tracked.label not in changeset.counts:
            continue
        number = net_objects(sql, tracked, changeset.pk)
        skipped, start = min(start, number), max(0, start - number)
        while skipped < number and (limit is None or limit > 0):
            size = PAGE if limit is None else min(PAGE, limit)
            pairs = sql.rows(
                f"SELECT before_id, after_id FROM {sql.temp(net_table(tracked))} "
                f"ORDER BY coalesce(after_pk, before_pk), after_id LIMIT {size} OFFSET {skipped}"
            )
            skipped += len(pairs)
            limit = None if limit is None else limit - len(pairs)
            for change in changes_between(tracked, pairs, using=using):
                if not fields or any(field.name in fields for field in change.fields):
                    yield change


def changes_between(
    tracked: Tracked, pairs: Sequence[tuple[int | None, int | None]], *, using: str = "default"
) -> list[Change]:
    """Return the change between each pair of history rows (before, after), given by history_id; None is absence."""
    ids = {history_id for pair in pairs for history_id in pair if history_id is not None}
    rows = tracked.history_model._base_manager.using(using).in_bulk(ids)
    labels = _link_labels(tracked, list(rows.values()), using)
    return [_change(tracked, rows.get(before), rows.get(after), labels) for before, after in pairs]


def _change(tracked: Tracked, before: Any, after: Any, labels: dict[str, dict[Any, str]]) -> Change:
    pk = tracked.model._meta.pk.attname
    old_pk, new_pk = getattr(before, pk, None), getattr(after, pk, None)
    if before is None:
        operation = "created"
    elif after is None:
        operation = "deleted"
    else:
        operation = "renamed" if old_pk != new_pk else "changed"
    shown = after if after is not None else before
    return Change(
        model=tracked.label,
        operation=operation,
        pk=str(new_pk if after is not None else old_pk),
        old_pk=str(old_pk if before is not None else new_pk),
        label=str(getattr(shown, "name", "")),
        fields=tuple(_field_changes(tracked, before, after, labels)),
    )


def _field_changes(
    tracked: Tracked, before: Any, after: Any, labels: dict[str, dict[Any, str]]
) -> Iterator[FieldChange]:
    for field in tracked.model._meta.concrete_fields:
        if field.column in NOT_SHOWN:
            continue
        old = getattr(before, field.attname, None)
        new = getattr(after, field.attname, None)
        if old == new or (old in EMPTY and new in EMPTY and None in (before, after)):
            continue
        if field.is_relation:
            old, new = (None if key is None else labels[field.attname].get(key, f"#{key}") for key in (old, new))
        elif field.choices:
            words = dict(field.flatchoices)
            old, new = words.get(old, old), words.get(new, new)
        yield FieldChange(
            name=field.name,
            label=str(field.verbose_name),
            old=old,
            new=new,
            derived=not field.editable,
        )


def _link_labels(tracked: Tracked, rows: list[Any], using: str) -> dict[str, dict[Any, str]]:
    """Return for each foreign key the label of each key in the rows; what is gone is named from its history."""
    labels: dict[str, dict[Any, str]] = {}
    for field in tracked.model._meta.concrete_fields:
        if not field.is_relation:
            continue
        keys = {getattr(row, field.attname) for row in rows} - {None}
        found = {key: str(target) for key, target in _manager(field.related_model, using).in_bulk(keys).items()}
        gone = keys - set(found)
        if gone:
            found |= _labels_from_history(field.related_model, gone, using)
        labels[field.attname] = found
    return labels


def _labels_from_history(model: type[models.Model], keys: set, using: str) -> dict[Any, str]:
    attribute = getattr(model._meta, "simple_history_manager_attribute", None)
    if attribute is None:
        return {}
    pk = model._meta.pk.attname
    history = getattr(model, attribute).using(using).filter(**{f"{pk}__in": keys})
    return {getattr(row, pk): f"{row.instance} (deleted)" for row in history.latest_of_each()}


def _manager(model: type[models.Model], using: str) -> models.QuerySet:
    return model._base_manager.using(using)
