"""The filter of a list to objects around a place; a map leads there where several points lie together."""

from math import cos, radians
from typing import NamedTuple

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from apps.changesets.history.maps import DEGREE_KM
from apps.changesets.tracking import tracked_for

PARAMETER = "near"
FARTHEST_KM = 5000.0


class NearFilter(admin.SimpleListFilter):
    """Keeps what lies in a square around a place; it shows only where an address asks for it, as maps do."""

    title = "place on the map"
    parameter_name = PARAMETER

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        text = self.used_parameters.get(PARAMETER, "")
        place = read_near(text)
        if place is None:
            return []
        where = f"{in_degrees(place.latitude, 'NS')} {in_degrees(place.longitude, 'EW')}"
        return [(text, f"Within {place.km:,.0f} km of {where}")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        place = read_near(self.value() or "")
        if place is None:
            return queryset
        tracked = tracked_for(queryset.model)
        point = [tracked.fields_by_column[column].name for column in tracked.point or ()]
        return queryset.filter(around(*place, point=point)) if point else queryset.none()


class Near(NamedTuple):
    """A place, and how far around it."""

    latitude: float
    longitude: float
    km: float


def read_near(text: str) -> Near | None:
    """Return what an address asks for, or None where it asks for nothing."""
    try:
        latitude, longitude, km = (float(part) for part in text[:60].split(","))
    except ValueError:
        return None
    on_earth = abs(latitude) <= 90 and abs(longitude) <= 180 and 0 < km <= FARTHEST_KM
    return Near(latitude, longitude, km) if on_earth else None


def around(latitude: float, longitude: float, km: float, *, point: list[str]) -> Q:
    """Return the condition that an object lies in the square of this half-width around a place.

    `point` names the fields of its latitude and longitude.
    """
    high = km / DEGREE_KM
    wide = high / max(cos(radians(latitude)), 0.01)
    near = Q(**{f"{point[0]}__range": (latitude - high, latitude + high)})
    if wide >= 180:
        return near
    # Beyond the date line the square goes on at the other end.
    turns = (turn for turn in (0, -360, 360) if abs(longitude + turn) - wide <= 180)
    sides = [Q(**{f"{point[1]}__range": (longitude + turn - wide, longitude + turn + wide)}) for turn in turns]
    return near & Q(*sides, _connector=Q.OR)


def in_degrees(degrees: float, sides: str) -> str:
    """Return a latitude or longitude as maps write it: 39.9° N."""
    return f"{abs(degrees):.1f}° {sides[degrees < 0]}"
