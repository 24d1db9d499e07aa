"""The map of a changeset: what appeared, went and moved, and what changed where it stands."""

from collections.abc import Iterator
from itertools import chain

from apps.changesets.history.diff import selection_of
from apps.changesets.history.maps import FINE, MOST, Addresses, Group, PackedMap, Point, pack
from apps.changesets.history.selection import Filters, parts_of
from apps.changesets.models import Changeset
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked

ADDED, DELETED, MOVED, CHANGED = range(4)
# (the name of the group, its label, its colour, and how the page of the changeset filters to it)
GROUPS = (
    ("created", "added", "added", "op=created"),
    ("deleted", "deleted", "deleted", "op=deleted"),
    ("moved", "moved 100 m or more", "moved", "op=changed"),
    ("changed", "changed in other ways", "kept", "op=changed"),
)


Place = tuple[float, float]


def map_groups(tracked: Tracked, *, changes_url: str) -> list[Group]:
    """Return the groups of a map of changes, each with the address of its changes."""
    field = tracked.fields_by_column[tracked.point_columns[0]].name
    filters = {"moved": f"&field={field}"}
    return [
        Group(name, label, colour, f"{changes_url}?model={tracked.label}&{query}{filters.get(name, '')}#changes-title")
        for name, label, colour, query in GROUPS
    ]


def map_of_changes(
    changeset: Changeset, tracked: Tracked, *, changes_url: str, addresses: Addresses, using: str = "default"
) -> PackedMap:
    """Return the map of what a changeset did to the objects of one model that have a place; one query."""
    points, left_out = [], 0
    for number, point in enumerate(changed_points(changeset, tracked, using=using)):
        if number < MOST:
            points.append(point)
        else:
            left_out += 1
    groups = map_groups(tracked, changes_url=changes_url)
    return pack(groups, points, scale=FINE, addresses=addresses, left_out=left_out)


def changed_points(changeset: Changeset, tracked: Tracked, *, using: str = "default") -> Iterator[Point]:
    """Yield the objects of one model that a changeset changed, as points; those without a place are left out."""
    sql = Sql(using)
    selection = selection_of(sql, tracked, changeset, filters=Filters())
    parts, params = parts_of(sql, selection, joined=True)
    # Each change by key, with where the object was and where it is.
    chunks = sql.chunks(
        """
        SELECT coalesce(n.after_pk, n.before_pk), n.before_pk IS NULL, n.after_pk IS NULL, {was}, {place}
        FROM {source} WHERE {condition} ORDER BY {key_order}
        """,
        params,
        size=2000,
        was=sql.names(tracked.point_columns, of="b"),
        place=sql.names(tracked.point_columns, of="a"),
        **parts,
    )
    for key, created, deleted, *places in chain.from_iterable(chunks):
        if point := point_of(str(key), bool(created), bool(deleted), place_of(*places[:2]), place_of(*places[2:])):
            yield point


def place_of(latitude: float | None, longitude: float | None) -> Place | None:
    """Return a place, or None where half of it is lacking."""
    return None if latitude is None or longitude is None else (latitude, longitude)


def point_of(key: str, created: bool, deleted: bool, was: Place | None, place: Place | None) -> Point | None:
    """Return one change as a point, from where the object was and where it is; None for what has no place."""
    if deleted:
        return None if was is None else Point(DELETED, key, *was)
    if place is None:
        return None
    if created or was is None:
        return Point(ADDED if created else MOVED, key, *place)
    return Point(MOVED, key, *place, was) if _seen(was) != _seen(place) else Point(CHANGED, key, *place)


def _seen(place: Place) -> tuple[int, ...]:
    """Return a place as exactly as the map tells it; what moved less has not moved on it."""
    return tuple(round(degrees * FINE) for degrees in place)
