"""How far an object moved, in words and as a small map."""

from math import cos, floor, hypot, log10, radians

from django.utils.html import format_html

from apps.changesets.history.diff import Change
from apps.changesets.history.maps import DEGREE_KM, distance_km
from apps.changesets.tracking import tracked_by_name

WIDTH, HEIGHT, MARGIN = 150, 84, 14
# The scale bar stands below the points.
FLOOR = 22
NEAREST_KM = 0.0005

Point = tuple[float, float]


def move_of(change: Change) -> str:
    """Return how far the object moved, as safe HTML; empty where it did not, or where its model is on no map."""
    tracked = tracked_by_name(change.model)
    if tracked is None or tracked.point is None:
        return ""
    names = [tracked.fields_by_column[column].name for column in tracked.point]
    if not any(field.name in names for field in change.fields):
        return ""
    old, new = (_point(row, *names) for row in (change.before, change.after))
    if old is None or new is None:
        return ""
    km = distance_km(old, new)
    if km < NEAREST_KM:
        return format_html('<p class="moved">moved {}</p>', "less than a metre")
    return format_html('<div class="moved"><p>moved {}</p>{}</div>', in_words(km), small_map(old, new))


def in_words(km: float) -> str:
    """Return a distance as people say it: metres below a kilometre, a decimal below a hundred."""
    if km < 0.9995:
        return f"{km * 1000:,.0f} m"
    return f"{km:,.1f} km" if km < 100 else f"{km:,.0f} km"


def small_map(old: Point, new: Point) -> str:
    """Return a drawing of both points, the old one hollow, with a scale bar; north is up."""
    east, north = _offset_km(old, new)
    drawn_km = hypot(east, north)
    per_km = min(
        (WIDTH - 2 * MARGIN) / max(abs(east), drawn_km / 50), (HEIGHT - FLOOR - MARGIN) / max(abs(north), drawn_km / 50)
    )
    mid_x, mid_y = WIDTH / 2, (HEIGHT - FLOOR + MARGIN) / 2
    x, y = east * per_km / 2, north * per_km / 2
    bar_km = _round_below(WIDTH / 2.5 / per_km)
    return format_html(
        '<svg class="move-map" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" aria-label="{label}">'
        '<line class="way" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'
        '<circle class="was" cx="{x1}" cy="{y1}" r="4"/><circle class="is" cx="{x2}" cy="{y2}" r="4"/>'
        '<path class="scale" d="M6 {top}v4h{bar}v-4"/><text x="{text}" y="{foot}">{scale}</text></svg>',
        w=WIDTH,
        h=HEIGHT,
        label=f"The point moved {in_words(distance_km(old, new))} {_direction(east, north)}",
        x1=f"{mid_x - x:.1f}",
        y1=f"{mid_y + y:.1f}",
        x2=f"{mid_x + x:.1f}",
        y2=f"{mid_y - y:.1f}",
        top=HEIGHT - 10,
        bar=f"{bar_km * per_km:.1f}",
        text=f"{12 + bar_km * per_km:.1f}",
        foot=HEIGHT - 5,
        scale=in_words(bar_km).replace(".0 ", " "),
    )


def _point(row: object, latitude: str, longitude: str) -> Point | None:
    north, east = getattr(row, latitude, None), getattr(row, longitude, None)
    return None if north is None or east is None else (north, east)


def _offset_km(old: Point, new: Point) -> tuple[float, float]:
    """How far east and north the new point is, as a flat map of the place draws it; the short way round."""
    turn = (new[1] - old[1] + 180) % 360 - 180
    return turn * DEGREE_KM * cos(radians((old[0] + new[0]) / 2)), (new[0] - old[0]) * DEGREE_KM


def _direction(east: float, north: float) -> str:
    up = "north" if north > 0 else "south"
    side = "east" if east > 0 else "west"
    if abs(north) < abs(east) * 0.4:
        return f"to the {side}"
    return f"to the {up}" if abs(east) < abs(north) * 0.4 else f"to the {up}-{side}"


def _round_below(km: float) -> float:
    """Return the largest 1, 2 or 5 with zeros that is not above."""
    unit: float = 10 ** floor(log10(km))
    return next(step * unit for step in (5, 2, 1) if step * unit <= km * 1.000001)
