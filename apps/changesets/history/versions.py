"""Which version of an object a person saw, and which fields changed after it."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.db import connections, models

from apps.changesets.history_models import HistoryRow
from apps.changesets.models import Changeset
from apps.changesets.tracking import tracked_for


@dataclass(frozen=True)
class Moved:
    """A field that somebody changed after a version: the value now, and the changeset that set it last."""

    field: str
    now: Any
    changeset: Changeset


def lock_row(obj: models.Model) -> models.Model | None:
    """Return the object as it is now, locked until the transaction ends; None when it is gone.

    SQLite's transactions let only one write, so there it only reads.
    """
    rows = type(obj)._base_manager.using(obj._state.db)
    if connections[rows.db].in_atomic_block:
        rows = rows.select_for_update()
    return rows.filter(pk=obj.pk).first()


def newest_version(obj: models.Model) -> int | None:
    """Return the history_id of the object's newest history row; None where it has none."""
    return _rows(obj).order_by("-history_id").values_list("history_id", flat=True).first()


def values_at(obj: models.Model, version: int) -> dict[str, Any] | None:
    """Return the object's values by field name as the version `history_id` has them; None if it has no such version."""
    row = _rows(obj).filter(history_id=version).first()
    if row is None:
        return None
    return {field.name: getattr(row, field.attname) for field in obj._meta.concrete_fields}


def is_same_object(obj: models.Model, values: dict[str, Any]) -> bool:
    """Whether the object is still the one that had these values: its primary key may be another's by now."""
    field = tracked_for(type(obj)).stable_field
    return field is None or values[field.name] in (None, getattr(obj, field.attname))


def moved_since(obj: models.Model, version: int) -> dict[str, Moved]:
    """Return the fields whose value now differs from the one at `version`, each with who set it."""
    rows = list(
        _rows(obj)
        .filter(history_id__gte=version)
        .select_related("changeset", "changeset__actor")
        .order_by("history_id")
    )
    moved: dict[str, Moved] = {}
    for field in obj._meta.concrete_fields:
        now = getattr(obj, field.attname)
        if not rows or getattr(rows[0], field.attname) == now:
            continue
        # The last row that gave the field another value than the row before it.
        for before, after in pairwise(rows):
            if getattr(before, field.attname) != getattr(after, field.attname):
                moved[field.name] = Moved(field.name, now, after.changeset)
    return moved


def _rows(obj: models.Model) -> models.QuerySet[HistoryRow]:
    tracked = tracked_for(type(obj))
    history = tracked.history_model._base_manager.using(obj._state.db)
    return history.filter(**{obj._meta.pk.attname: obj.pk})
