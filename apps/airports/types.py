"""The types of airports under the words that others have for them."""

import re

from apps.airports.models import AirportType
from apps.imports.looks import looks
from apps.imports.mapping.changes import ChangeKind, ValueChange, register_change

_WORDS = {
    AirportType.LARGE: ("large", "major", "large hub", "hub", "big"),
    AirportType.MEDIUM: ("medium", "mid", "mid size", "medium hub"),
    AirportType.SMALL: ("small", "airfield", "airstrip", "landing strip", "small airfield", "minor"),
    AirportType.HELIPORT: ("heliport", "helipad", "helistop", "helicopter", "heli"),
    AirportType.SEAPLANE_BASE: ("seaplane base", "seaplane", "seaplanes", "water aerodrome", "floatplane", "sea"),
    AirportType.BALLOONPORT: ("balloonport", "balloon"),
    AirportType.CLOSED: ("closed", "closed airport", "abandoned", "disused", "decommissioned"),
}
_TYPE_OF = {word: str(kind) for kind, words in _WORDS.items() for word in words}
_TYPE_OF |= {f"{word} airport": kind for word, kind in _TYPE_OF.items()}


def _type_of(cell: str) -> str:
    """Return the type that a word means, or the cell as it is."""
    word = " ".join(re.sub(r"[\W_]+", " ", cell.casefold()).split())
    return _TYPE_OF.get(word, cell)


def _is_type(cell: str) -> bool:
    return cell in AirportType.values


register_change(
    "airport_type",
    ChangeKind("word for a type to type", lambda cells, _argument: [_type_of(cell) for cell in cells]),
)
TYPES = (
    *looks("types of airports", _is_type),
    *looks("types of airports under other words", lambda cell: _is_type(_type_of(cell)), ValueChange("airport_type")),
)
