"""The data of a map: points in groups, packed so that all airports of the world take half a megabyte."""

import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from heapq import nlargest
from math import asin, cos, radians, sin, sqrt
from operator import attrgetter
from typing import NamedTuple

# So many steps a degree: a hundredth is about a kilometre, and a pixel of the world.
COARSE, FINE = 100, 1000
# More points than this are too many for a map of changes; what is left out is said.
MOST = 100_000
EARTH_KM = 6371.0
# From one degree of latitude to the next.
DEGREE_KM = 111.195
FARTHEST = 20


@dataclass(frozen=True)
class Group:
    """Points of one sort: their label, their colour (a name of the stylesheet), and the address of their list.

    Where an object of the group leads elsewhere than the others of the map, `object_url` has KEY for its key.
    """

    name: str
    label: str
    colour: str
    url: str = ""
    object_url: str = ""


class Move(NamedTuple):
    """How far an object moved, by its key."""

    key: str
    km: float


class Point(NamedTuple):
    """An object on the map, in the group of this number; one that moved has the place where it was."""

    group: int
    key: str
    latitude: float
    longitude: float
    was: tuple[float, float] | None = None


@dataclass(frozen=True)
class PackedMap:
    """The data of a map as it travels (JSON, gzipped), and how many points each group has."""

    body: bytes
    groups: tuple[Group, ...]
    counts: tuple[int, ...]
    # Of what moved, the farthest first.
    farthest: tuple[Move, ...] = ()

    @property
    def counted(self) -> list[tuple[Group, int]]:
        """The groups that have any points, with their number."""
        return [(group, count) for group, count in zip(self.groups, self.counts, strict=True) if count]

    @property
    def number(self) -> int:
        """How many points there are."""
        return sum(self.counts)


@dataclass(frozen=True)
class Addresses:
    """The addresses that a map leads to: an object, the list of objects around a place, and the names of objects.

    KEY and NEAR stand in them for an object's key and for "latitude,longitude,kilometres".
    """

    object_url: str = ""
    near_url: str = ""
    name_url: str = ""


def pack(
    groups: Sequence[Group],
    points: Iterable[Point],
    *,
    addresses: Addresses = Addresses(),
    scale: int = COARSE,
    left_out: int = 0,
) -> PackedMap:
    """Return points packed: those that moved first, neighbours together, since they pack better."""
    rows = sorted(points, key=attrgetter("key"))
    # By one number each: of 85,000 airports, sorting by tuples takes twice as long.
    rows.sort(key=lambda point: round(point.latitude) * 1000 + round(point.longitude))
    rows.sort(key=lambda point: point.was is None)
    moved = [point.was for point in rows if point.was is not None]
    counts = [0] * len(groups)
    for point in rows:
        counts[point.group] += 1
    data = {
        "scale": scale,
        "groups": [asdict(group) | {"count": count} for group, count in zip(groups, counts, strict=True)],
        "group": "".join(str(point.group) for point in rows),
        "lat": [round(point.latitude * scale) for point in rows],
        "lon": [round(point.longitude * scale) for point in rows],
        "keys": "\n".join(point.key for point in rows),
        "was_lat": [round(latitude * scale) for latitude, _ in moved],
        "was_lon": [round(longitude * scale) for _, longitude in moved],
        "left_out": left_out,
        **asdict(addresses),
    }
    # A level more saves one percent of the way and takes twice as long.
    body = gzip.compress(json.dumps(data, separators=(",", ":")).encode(), compresslevel=5, mtime=0)
    return PackedMap(body, tuple(groups), tuple(counts), _farthest(rows))


def distance_km(start: tuple[float, float], end: tuple[float, float]) -> float:
    """Return the great-circle distance of two places (latitude, longitude in degrees)."""
    (lat1, lon1), (lat2, lon2) = (tuple(map(radians, place)) for place in (start, end))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(half)))


def _farthest(rows: Iterable[Point]) -> tuple[Move, ...]:
    moves = (Move(point.key, distance_km(point.was, (point.latitude, point.longitude))) for point in rows if point.was)
    return tuple(nlargest(FARTHEST, moves, key=lambda move: move.km))
