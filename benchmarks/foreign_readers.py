"""The independent reader of foreign files: plain csv and json, and what each cell should have become."""

import csv
import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pycountry

# As people write these; pycountry has the official forms.
NAMES = {
    "burma": "MM", "cape verde": "CV", "congo (brazzaville)": "CG", "congo (kinshasa)": "CD", "cote d'ivoire": "CI",
    "east timor": "TL", "falkland islands": "FK", "federated states of micronesia": "FM", "ivory coast": "CI",
    "macau": "MO", "macedonia": "MK", "netherlands antilles": "AN", "north korea": "KP", "palestine": "PS",
    "reunion": "RE", "russia": "RU", "saint helena": "SH", "south korea": "KR", "swaziland": "SZ", "syria": "SY",
    "turkey": "TR", "virgin islands": "VI", "west bank": "PS", "kosovo": "XK",
}  # fmt: skip
NOTHING = {"", "\\N", "null", "NULL", "N/A", "n/a", "#N/A", "None", "none", "NaN", "nan", "-"}
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
    return unicodedata.normalize("NFC", str(cell)).strip()


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


CHANGES = {
    "country_code": _code,
    "part": _part,
    "decimal_comma": lambda cell, _argument: str(cell).replace(",", "."),
    "feet": lambda cell, _argument: round(float(cell) * 3.280839895),
    "upper": lambda cell, _argument: str(cell).upper(),
    "trim": lambda cell, _argument: " ".join(str(cell).split()),
    "round": lambda cell, argument: round(float(cell), int(argument)),
}


def same(wanted: Any, value: Any) -> bool:
    """Whether a stored value is what was wanted; places within a centimetre are the same."""
    if isinstance(wanted, float):
        return value is not None and abs(wanted - float(value)) <= 1e-7
    return bool(wanted == value)


def comparable(name: Any) -> str:
    """Return a name without case and spaces too many, by which cities are known."""
    return " ".join(unicodedata.normalize("NFKC", str(name)).casefold().split())
