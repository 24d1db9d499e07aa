"""Where the present value of each field comes from: which changeset set it, when, by import or by hand."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models

from apps.changesets.models import Changeset, Kind
from apps.changesets.moments import stable_key_of
from apps.changesets.tracking import Tracked, tracked_for
from apps.changesets.words import person

# Rows of one object that are looked at; a value older than that has the oldest of them as its origin.
MOST_ROWS = 1000


@dataclass(frozen=True)
class Origin:
    """The changeset that gave a field its present value."""

    changeset: Changeset
    at: datetime

    @property
    def by_hand(self) -> bool:
        return self.changeset.kind not in (Kind.IMPORT, Kind.BASELINE, Kind.MIGRATION)

    @property
    def words(self) -> str:
        """Who or what set the value: a person, or the import."""
        if self.changeset.kind == Kind.EDIT:
            return person(self.changeset)
        what = self.changeset.get_kind_display().lower()
        return f"{what} by {person(self.changeset)}" if self.by_hand and self.changeset.actor_name else what


def origins_of(obj: models.Model) -> dict[str, Origin]:
    """Return the origin of each field's present value by field name; takes one query, two where it was renamed.

    It is the newest history row of the object that differs from the one before it in that field; deletions and the
    restoring of just the same value are seen through, and so is another primary key that the object had.
    """
    tracked = tracked_for(type(obj))
    origins: dict[str, Origin] = {}
    before = None
    for row in _rows_of(tracked, obj):
        for field in obj._meta.concrete_fields:
            if before is None or getattr(row, field.attname) != getattr(before, field.attname):
                origins[field.name] = Origin(row.changeset, row.history_date)
        before = row
    return origins


def _rows_of(tracked: Tracked, obj: models.Model) -> Iterator[Any]:
    """Yield the object's history rows, oldest first, without its deletions."""
    rows = (
        tracked.history_model._base_manager.using(obj._state.db)
        .select_related("changeset", "changeset__actor")
        .order_by("-history_id")
    )
    own = list(rows.filter(**{obj._meta.pk.attname: obj.pk})[:MOST_ROWS])
    stable = stable_key_of(tracked, obj)
    if stable is not None:
        own = [row for row in own if stable_key_of(tracked, row) in (None, stable)]
        came = [row for row in own if row.history_type == "+"]
        if came and _may_be_renamed(tracked, came[-1].changeset):
            attname = tracked.fields_by_column[tracked.stable_key].attname
            own = list(rows.filter(**{attname: stable})[:MOST_ROWS])
    yield from (row for row in reversed(own) if row.history_type != "-")


def _may_be_renamed(tracked: Tracked, changeset: Changeset) -> bool:
    # A direct write is not counted while it may grow.
    return changeset.counts is None or bool(changeset.counts.get(tracked.label, {}).get("renamed"))
