"""The origin of each field's present value: the changeset that set it, and when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import F, Window
from django.db.models.functions import RowNumber

from apps.changesets.history.counts import may_have_renamed
from apps.changesets.history.stable_key import stable_key_of
from apps.changesets.history.words import person
from apps.changesets.history_models import HistoryRow
from apps.changesets.models import Changeset, Kind
from apps.changesets.tracking import Tracked, tracked_for

# Rows of one object that are looked at; a value older than that has the oldest of them as its origin.
MOST_ROWS = 1000


@dataclass(frozen=True)
class Origin:
    """The changeset that gave a field its present value, and the one that brought that back after another one."""

    changeset: Changeset
    at: datetime
    brought_back: Changeset | None = None

    @property
    def by_hand(self) -> bool:
        return self.changeset.kind not in (Kind.IMPORT, Kind.BASELINE, Kind.MIGRATION)

    @property
    def words(self) -> str:
        """The person, the source of the file, or the kind of changeset that set the value."""
        if self.changeset.kind == Kind.EDIT:
            return person(self.changeset)
        if self.changeset.source_title:
            return f"values of {self.changeset.source_title}"
        kind = self.changeset.get_kind_display().lower()
        return f"{kind} by {person(self.changeset)}" if self.by_hand and self.changeset.actor_name else kind


def origins_of(obj: models.Model) -> dict[str, Origin]:
    """Return the origin of each field's present value by field name; takes one query, two where it was renamed.

    It is the newest history row of the object that differs from the one before it in that field; deletions are seen
    through, and so is another primary key that the object had. Where a revert or a restore brought an earlier value
    back, its origin is that of the earlier one.
    """
    return origins_of_many([obj])[obj.pk]


def origins_of_many(objs: Sequence[models.Model]) -> dict[Any, dict[str, Origin]]:
    """Return for each of the objects, all of one model, by primary key what `origins_of` says of it.

    The number of queries does not grow with the number of objects; their history rows are read, so a page of them is a
    good number.
    """
    if not objs:
        return {}
    tracked = tracked_for(type(objs[0]))
    rows = _rows_of(tracked, objs)
    return {obj.pk: _origins(obj, rows[obj.pk]) for obj in objs}


def _origins(obj: models.Model, newest_first: list[Any]) -> dict[str, Origin]:
    earlier: dict[str, dict[Any, Origin]] = {field.name: {} for field in obj._meta.concrete_fields}
    origins: dict[str, Origin] = {}
    pk = obj._meta.pk.attname
    before, deleted = None, False
    for row in reversed(newest_first):
        if row.history_type == "-":
            deleted = True
            continue
        back = row.changeset if row.changeset.kind in (Kind.REVERT, Kind.RESTORE) else None
        # Of a renaming, which is a deletion and a creation, only the key comes anew.
        came_back = back is not None and deleted and before is not None and getattr(row, pk) == getattr(before, pk)
        for field in obj._meta.concrete_fields:
            value = _comparable(getattr(row, field.attname))
            if before is None or getattr(row, field.attname) != getattr(before, field.attname):
                known = earlier[field.name].get(value) if back else None
                origin = replace(known, brought_back=back) if known else Origin(row.changeset, row.history_date)
            elif came_back:
                origin = replace(origins[field.name], brought_back=back)
            else:
                continue
            origins[field.name] = origin
            earlier[field.name][value] = origin if origin.brought_back is None else replace(origin, brought_back=None)
        before, deleted = row, False
    return origins


def _comparable(value: Any) -> Any:
    """Return a value such that it can be looked up: last upstream values are a dictionary."""
    return repr(value) if isinstance(value, dict | list) else value


def _rows_of(tracked: Tracked, objs: Sequence[models.Model]) -> dict[Any, list[Any]]:
    """Return each object's history rows, newest first, those under other primary keys that it had included."""
    pk, using = tracked.model._meta.pk.attname, objs[0]._state.db
    grouped = _grouped(_newest_rows(tracked, pk, [obj.pk for obj in objs], using), pk)
    rows = {obj.pk: grouped.get(obj.pk, []) for obj in objs}
    if tracked.stable_field is None:
        return rows
    renamed: dict[Any, Any] = {}
    for obj in objs:
        if (stable := stable_key_of(tracked, obj)) is None:
            continue
        rows[obj.pk] = own = [row for row in rows[obj.pk] if stable_key_of(tracked, row) in (None, stable)]
        came = [row for row in own if row.history_type == "+"]
        if came and may_have_renamed(came[-1].changeset, tracked):
            renamed[stable] = obj.pk
    if renamed:
        attname = tracked.stable_field.attname
        grouped = _grouped(_newest_rows(tracked, attname, list(renamed), using), attname)
        rows |= {renamed[stable]: own for stable, own in grouped.items()}
    return rows


def _newest_rows(tracked: Tracked, attname: str, values: list[Any], using: str | None) -> models.QuerySet[HistoryRow]:
    rows = (
        tracked.history_model._base_manager.using(using)
        .filter(**{f"{attname}__in": values})
        .select_related("changeset", "changeset__actor")
        # What an import lists in its summary is large, and each row would carry it.
        .defer("changeset__summary", "changeset__field_counts", "changeset__error")
        .order_by("-history_id")
    )
    if len(values) == 1:
        return rows[:MOST_ROWS]
    place = Window(RowNumber(), partition_by=F(attname), order_by=F("history_id").desc())
    placed: models.QuerySet[HistoryRow] = rows.annotate(place=place).filter(place__lte=MOST_ROWS)
    return placed


def _grouped(rows: Iterable[Any], attname: str) -> dict[Any, list[Any]]:
    groups: dict[Any, list[Any]] = {}
    for row in rows:
        groups.setdefault(getattr(row, attname), []).append(row)
    return groups
