"""How far the rows of a plan move their objects."""

from typing import Any

from django.db import models

from apps.changesets.history.maps import distance_km
from apps.changesets.tracking import tracked_for
from apps.imports.models import FAR_KM

Changes = dict[str, list[Any]]


def place_fields(model: type[models.Model]) -> tuple[str, ...]:
    """Return the fields for latitude and longitude; none where the objects are on no map."""
    tracked = tracked_for(model)
    return tuple(tracked.fields_by_column[column].name for column in tracked.point) if tracked.point else ()


def moved(place: tuple[str, ...], changes: Changes, live: dict[str, Any]) -> float | None:
    """Return how many kilometres the changes move an object; None where they do not, or a place is not known."""
    if not any(field in changes for field in place):
        return None
    ends = [changes.get(field, [live.get(field)] * 2) for field in place]
    (old_north, new_north), (old_east, new_east) = ends
    if None in (old_north, new_north, old_east, new_east):
        return None
    return distance_km((old_north, old_east), (new_north, new_east))


def is_slight(place: tuple[str, ...], changes: Changes, moved_km: float | None) -> bool:
    """Whether the changes do nothing but move an object by less than what counts as a move."""
    return moved_km is not None and moved_km < FAR_KM and all(field in place for field in changes)
