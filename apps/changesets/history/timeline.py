"""An object's history as entries that people can read, a page of rows at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from apps.changesets.history.counts import may_have_renamed
from apps.changesets.history.diff import FieldChange, changes_between
from apps.changesets.rights import Sees, all_seen
from apps.changesets.tracking import Tracked

OPERATIONS = {"+": "created", "~": "changed", "-": "deleted"}


@dataclass(frozen=True)
class Entry:
    """One history row: what happened, the fields, and the other primary key where the object was renamed."""

    operation: str
    fields: tuple[FieldChange, ...]
    renamed_from: str = ""
    renamed_to: str = ""


def entries_of(tracked: Tracked, rows: Sequence[Any], *, sees: Sees = all_seen) -> list[Entry]:
    """Return an entry for each history row of one object, under whichever keys, given newest first without gaps.

    The row before the last one is looked up, so that the last entry has its differences, too. The number of queries
    does not grow with the number of rows.
    """
    if not rows:
        return []
    pk = tracked.model._meta.pk.attname
    history = tracked.history_model._base_manager.using("default")
    earlier = history.filter(**{pk: getattr(rows[-1], pk)}, history_id__lt=rows[-1].history_id)
    before_last = earlier.order_by("-history_id").values_list("history_id", flat=True).first()
    previous = [row.history_id for row in rows[1:]] + [before_last]
    halves = _other_halves(tracked, rows)
    pairs = []
    for row, before in zip(rows, previous, strict=True):
        half = halves[row.history_id].history_id if row.history_id in halves else None
        if row.history_type == "-":
            pairs.append((row.history_id, half))
        else:
            pairs.append((half if row.history_type == "+" else before or row.history_id, row.history_id))
    changes = zip(rows, changes_between(tracked, pairs, sees=sees), strict=True)
    return [_entry(row, change.fields, getattr(halves.get(row.history_id), pk, None)) for row, change in changes]


def _entry(row: Any, fields: tuple[FieldChange, ...], other_pk: Any) -> Entry:
    if other_pk is None:
        return Entry(OPERATIONS[row.history_type], fields)
    if row.history_type == "-":
        return Entry("renamed", fields, renamed_to=str(other_pk))
    return Entry("renamed", fields, renamed_from=str(other_pk))


def _other_halves(tracked: Tracked, rows: Sequence[Any]) -> dict[int, Any]:
    """Return for each row that is half of a renaming the other half: the same stable key under another primary key."""
    if tracked.stable_field is None:
        return {}
    stable = tracked.stable_field.attname
    pk = tracked.model._meta.pk.attname
    wanted = [row for row in rows if row.history_type != "~" and may_have_renamed(row.changeset, tracked)]
    if not wanted:
        return {}
    same = Q()
    for row in wanted:
        same |= Q(changeset_id=row.changeset_id, **{stable: getattr(row, stable)}) & ~Q(**{pk: getattr(row, pk)})
    candidates = {
        (half.changeset_id, getattr(half, stable), half.history_type): half
        for half in tracked.history_model._base_manager.using("default").filter(same).order_by("-history_id")
    }
    opposite = {"+": "-", "-": "+"}
    halves = {
        row.history_id: candidates.get((row.changeset_id, getattr(row, stable), opposite[row.history_type]))
        for row in wanted
    }
    return {history_id: half for history_id, half in halves.items() if half is not None}
