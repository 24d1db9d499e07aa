"""What a changeset did, object by object and field by field."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models

from apps.changesets.fields import target_of
from apps.changesets.history.cursors import Cursor, cursor_now, rows_between
from apps.changesets.history.net_changes import rows_of
from apps.changesets.history.selection import Filters, Selection, is_single, stream_pairs
from apps.changesets.history.values import EMPTY, names_of, value_label
from apps.changesets.models import Changeset
from apps.changesets.rights import Sees, all_seen
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_models

# Columns that say when, not what.
NOT_SHOWN = frozenset({"created_at", "updated_at"})


@dataclass(frozen=True)
class FieldChange:
    """One field, before and after; links by their label. `derived` fields follow others and are no news.

    `raw` has both values as they are stored, links by key.
    """

    name: str
    label: str
    old: Any
    new: Any
    derived: bool = False
    raw: tuple[Any, Any] = (None, None)


@dataclass(frozen=True)
class Change:
    """What happened to one object: `operation` is created, changed, renamed or deleted.

    `before` and `after` are the history rows that were compared; None is absence.
    """

    model: str
    operation: str
    pk: str
    old_pk: str
    label: str
    fields: tuple[FieldChange, ...]
    before: Any = dataclasses.field(default=None, compare=False, repr=False)
    after: Any = dataclasses.field(default=None, compare=False, repr=False)


def changes_of(
    changeset: Changeset,
    *,
    model: str | None = None,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    using: str = "default",
    sees: Sees = all_seen,
) -> Iterator[Change]:
    """Yield the changes of a changeset by model and key, the models that others point to first, a page at a time.

    `model` (a label) leaves only changes of that; `filters` leave only those that fit, `sees` those that may be seen.
    """
    sql = Sql(using)
    for tracked in tracked_models():
        touched = changeset.counts is None or tracked.label in changeset.counts
        if touched and (not model or tracked.label == model) and sees(tracked.model):
            yield from _stream(sql, selection_of(sql, tracked, changeset, filters=filters), sees=sees)


def changes_since(
    start: int | Cursor, *, until: Cursor | None = None, model: str | None = None, using: str = "default"
) -> Iterator[Change]:
    """Yield the net changes after a changeset or a cursor, up to a later cursor (None: up to now), each object once.

    For those who copied the tables there: applying these changes makes the copy new. What failed wrote no rows, and a
    baseline records a state, not a change.
    """
    sql, until = Sql(using), until or cursor_now(using)
    for tracked in tracked_models():
        if not model or tracked.label == model:
            for change in _stream(sql, Selection(tracked, rows_between(sql, tracked, start, until))):
                # A change that was taken back again is none.
                if change.fields:
                    yield change


def selection_of(sql: Sql, tracked: Tracked, changeset: Changeset, *, filters: Filters) -> Selection:
    """Return the choice of a changeset's changes of one model that fit the filters."""
    stored = changeset.counts.get(tracked.label) if changeset.counts else None
    single = is_single(sql, tracked, changeset.pk, stored)
    return Selection(tracked, rows_of(changeset.pk), filters, single=single)


def _stream(sql: Sql, selection: Selection, *, sees: Sees = all_seen) -> Iterator[Change]:
    for pairs in stream_pairs(sql, selection):
        yield from changes_between(selection.tracked, pairs, using=sql.using, sees=sees)


def changes_between(
    tracked: Tracked,
    pairs: Sequence[tuple[int | None, int | None]],
    *,
    known: Mapping[type[models.Model], dict[Any, str]] | None = None,
    using: str = "default",
    sees: Sees = all_seen,
) -> list[Change]:
    """Return the change between each pair of history rows (before, after), given by history_id; None is absence.

    `known` has the labels of all objects of some models, where the caller has read them anyway. What links point to is
    named for who `sees` it.
    """
    ids = {history_id for pair in pairs for history_id in pair if history_id is not None}
    rows = tracked.history_model._base_manager.using(using).in_bulk(ids)
    labels = _link_labels(tracked, list(rows.values()), known or {}, using, sees)
    return [_change(tracked, rows.get(before), rows.get(after), labels) for before, after in pairs]


def difference(tracked: Tracked, before: Any, after: Any, *, using: str = "default", sees: Sees = all_seen) -> Change:
    """Return the change between two rows in hand: of history, or made like one; None is absence."""
    labels = _link_labels(tracked, [row for row in (before, after) if row is not None], {}, using, sees)
    return _change(tracked, before, after, labels)


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
        before=before,
        after=after,
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
        yield FieldChange(
            name=field.name,
            label=str(field.verbose_name),
            old=value_label(field, old, labels.get(field.attname)),
            new=value_label(field, new, labels.get(field.attname)),
            derived=not field.editable,
            raw=(old, new),
        )


def _link_labels(
    tracked: Tracked, rows: list[Any], known: Mapping[type[models.Model], dict[Any, str]], using: str, sees: Sees
) -> dict[str, dict[Any, str]]:
    """Return for each foreign key the label of each key in the rows; what is gone is named from its history."""
    labels: dict[str, dict[Any, str]] = {}
    for field in tracked.model._meta.concrete_fields:
        if not field.is_relation:
            continue
        keys = {getattr(row, field.attname) for row in rows} - {None}
        model = target_of(field)
        names = known.get(model, {})
        labels[field.attname] = {**names, **names_of(model, keys - set(names), using=using, sees=sees)}
    return labels
