"""The independent reader of foreign files: plain csv and json, and what each cell should have become."""

import csv
import json
import math
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pycountry

# As people write these; pycountry has the official forms.
NAMES = {
    "brunei": "BN", "burma": "MM", "cape verde": "CV", "congo (brazzaville)": "CG", "congo (kinshasa)": "CD",
    "cote d'ivoire": "CI", "democratic republic of the congo": "CD", "east timor": "TL", "england": "GB",
    "falkland islands": "FK", "fiji islands": "FJ", "ivory coast": "CI", "macau": "MO", "macedonia": "MK",
    "micronesia": "FM", "north korea": "KP", "northern ireland": "GB", "palestine": "PS", "republic of the congo": "CG",
    "reunion": "RE", "russia": "RU", "saint helena": "SH", "scotland": "GB", "south georgia and the islands": "GS",
    "south korea": "KR", "korea": "KR", "svalbard": "SJ", "swaziland": "SZ", "syria": "SY",
    "the democratic republic of congo": "CD", "turkey": "TR", "wales": "GB",
    "west bank": "PS", "kosovo": "XK", "british virgin islands": "VG", "laos": "LA",
    "virgin islands, british": "VG", "virgin islands, u.s.": "VI", "svalbard and jan mayen": "SJ",
}  # fmt: skip
# Words for no value, as the form of an import names them.
NOTHING = {"", "\\N", "null", "NULL", "Null", "N/A", "n/a", "#N/A", "none", "None", "nan", "NaN", "<NA>", "-", "--"}
# Characters that nobody sees, and that are not stored.
INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff"))
Row = dict[str, Any]


def rows_of(path: Path) -> Iterator[tuple[int, Row]]:
    """Yield the line, as the console counts it, and the values of each row."""
    if path.suffix == ".json":
        data = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(data, dict) and isinstance(first := next(iter(data.values())), list):
            data = first
        if isinstance(data, dict):
            data = [{"key": key, **row} for key, row in data.items()]
        yield from ((number, _flat(row)) for number, row in enumerate(data, start=2))
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        header = next(reader) if path.suffix == ".csv" else None
        line = reader.line_num + 1
        for cells in reader:
            titles = header or [f"column {number}" for number in range(1, len(cells) + 1)]
            if any(cells):
                yield line, dict(zip(titles, cells, strict=False))
            line = reader.line_num + 1


def _flat(row: Row) -> Row:
    inner = {f"{key}.{name}": v for key, value in row.items() if isinstance(value, dict) for name, v in value.items()}
    return {**row, **inner}


def expected(cell: Any, field: str, changes: list[list[str]]) -> Any:
    """Return the value that this cell should have become in the field, None where it says nothing."""
    if cell is None or (isinstance(cell, str) and cell.strip() in NOTHING):
        return None
    for name, argument in changes:
        cell = CHANGES[name](cell, argument)
    if field in ("latitude", "longitude", "latitude_deg", "longitude_deg"):
        return float(cell)
    if field in ("elevation_ft", "population", "source_id", "id"):
        return int(float(cell))
    return unicodedata.normalize("NFC", str(cell).translate(INVISIBLE)).strip()


def _code(cell: Any, _argument: str) -> str:
    name = str(cell).strip()
    if code := NAMES.get(name.casefold()):
        return code
    try:
        return str(pycountry.countries.lookup(name).alpha_2)
    except LookupError:
        return name


def _part(cell: Any, argument: str) -> Any:
    parts = cell if isinstance(cell, list) else re.split(r"[,; ]+", str(cell).strip())
    return parts[int(argument) - 1]


def _whole(number: float) -> int:
    """Return the nearest whole number, of halves the one further from 0."""
    return int(math.copysign(math.floor(abs(number) + 0.5), number))


CHANGES = {
    "country_code": _code,
    "part": _part,
    "decimal_comma": lambda cell, _argument: str(cell).replace(",", "."),
    "feet": lambda cell, _argument: _whole(float(cell) * 3.280839895),
    "upper": lambda cell, _argument: str(cell).upper(),
    "trim": lambda cell, _argument: " ".join(str(cell).split()),
    "round": lambda cell, _argument: _whole(float(cell)),
}


def same(wanted: Any, value: Any) -> bool:
    """Whether a stored value is what was wanted; places within a centimetre are the same."""
    if isinstance(wanted, float):
        return value is not None and abs(wanted - float(value)) <= 1e-7
    return bool(wanted == value)


def comparable(name: Any) -> str:
    """Return a name without case and spaces too many, by which cities are known."""
    return " ".join(unicodedata.normalize("NFKC", str(name)).casefold().split())
