"""Undoing an edit by who made it: the newest change of one object goes back, without the permission to revert."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from apps.changesets.errors import ChangesetError
from apps.changesets.history.counts import total
from apps.changesets.history.diff import Change, changes_between
from apps.changesets.history.net_changes import rows_of
from apps.changesets.history.selection import Selection, pairs_on_page
from apps.changesets.history.stable_key import stable_key_of
from apps.changesets.history.words import is_open_to_revert
from apps.changesets.models import Changeset, Kind, Visitor
from apps.changesets.rights import Sees
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_by_label


@dataclass(frozen=True)
class OwnEdit:
    """What undoing an edit would do to its object, and the history row that the edit left."""

    tracked: Tracked
    change: Change
    left: int


def is_own_edit(changeset: Changeset, user: Visitor) -> bool:
    """Whether the person made the changeset as an edit of one object, and it stands; its object may have changed since.

    Without a query.
    """
    own = changeset.kind == Kind.EDIT and user.pk is not None and changeset.actor_id == user.pk
    return own and is_open_to_revert(changeset) and total(changeset.counts or {}) == 1


def plan_own_undo(changeset: Changeset, *, sees: Sees) -> OwnEdit:
    """Return what undoing an edit of one object would do; raises ChangesetError where that object changed since."""
    if not is_open_to_revert(changeset):
        raise ChangesetError(f"{changeset} is undone already, or its history was pruned.")
    if total(changeset.counts or {}) != 1:
        raise ChangesetError(f"{changeset} is no edit of one object.")
    try:
        tracked = tracked_by_label(next(iter(changeset.counts or {})))
    except LookupError as gone:
        raise ChangesetError(f"What {changeset} changed is not recorded any more.") from gone
    [(before, left)] = pairs_on_page(Sql(), Selection(tracked, rows_of(changeset.pk)), start=0, limit=1)
    [change] = changes_between(tracked, [(left, before)], sees=sees)
    newer = _newest(tracked, change.before)
    if newer.history_id != left:
        raise ChangesetError(
            f"{change.before.instance} was changed since, in {newer.changeset}: ask somebody who may revert changesets."
        )
    return OwnEdit(tracked, change, newer.history_id)


def _newest(tracked: Tracked, row: object) -> Any:
    """Return the newest history row of the object that a row is of, under whatever key it stands now."""
    pk = tracked.model._meta.pk.attname
    same = Q(**{pk: getattr(row, pk)})
    if tracked.stable_field is not None and (stable := stable_key_of(tracked, row)) is not None:
        same |= Q(**{tracked.stable_field.attname: stable})
    rows = tracked.history_model._base_manager.filter(same).select_related("changeset")
    return rows.order_by("-history_id")[0]
