"""`python -m benchmarks.generated FOLDER ROWS`: a snapshot of any size and the one after it, always the same ones.

Names, places, types and positions are drawn from the bundled snapshot and mixed, so that words repeat as they do there.
Of a thousand rows five are another one again under a number of its own, and some are dirty: spaces, small letters, no
position, a position off the globe, the IATA code `0`, one shared by two. In the later file three rows of ten have
another value, one in fifty another ident, one in a hundred is gone, and one in twenty is new.
"""

import csv
import gzip
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path

BUNDLED = Path(__file__).resolve().parent.parent / "data" / "ourairports-2022-10-11.csv.gz"
Row = dict[str, str]


class Source:
    """Draws rows by their number: the same number gives the same row."""

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed
        with gzip.open(BUNDLED, "rt", encoding="utf-8", newline="") as stream:
            lines = csv.DictReader(stream)
            self.columns = list(lines.fieldnames or [])
            self.real = list(lines)

    def row(self, number: int) -> Row:
        """Return the row of this number in the first file."""
        draw = random.Random(self.seed * 1_000_003 + number)
        if draw.random() < 0.005 and number:
            # Somebody entered it twice, with a number and an ident of its own.
            return {
                **self.row(draw.randrange(number)),
                "id": str(number + 1),
                "ident": f"DUP-{number}",
                "iata_code": "",
            }
        real, other, place = (draw.choice(self.real) for _ in range(3))
        row = {
            **real,
            "id": str(number + 1),
            "ident": f"{place['iso_country']}-{number:06}",
            "name": f"{other['name'].split(' ')[0]} {real['name'].partition(' ')[2] or 'Field'}",
            "municipality": place["municipality"],
            "iso_country": place["iso_country"],
            "iso_region": place["iso_region"],
            "latitude_deg": f"{_moved(place['latitude_deg'], draw, 89):.6f}",
            "longitude_deg": f"{_moved(place['longitude_deg'], draw, 179):.6f}",
            "iata_code": "",
            "gps_code": real["gps_code"] if draw.random() < 0.3 else "",
        }
        return _dirty(row, draw) if draw.random() < 0.01 else row

    def later(self, number: int) -> Row | None:
        """Return the row of this number in the later file; None where it is gone."""
        row, draw = self.row(number), random.Random(self.seed * 2_000_003 + number)
        fate = draw.random()
        if fate < 0.01:
            return None
        if fate < 0.03:
            return {**row, "ident": f"{row['ident']}R"}
        if fate < 0.33:
            column = draw.choice(["name", "elevation_ft", "municipality", "latitude_deg"])
            values = {
                "name": f"{row['name']} {draw.choice(['Airpark', 'Field', 'International'])}",
                "elevation_ft": str(draw.randint(0, 9000)),
                "municipality": draw.choice(self.real)["municipality"],
                # Surveyed anew, not moved: a file that moves many airports is refused as a whole.
                "latitude_deg": f"{float(row['latitude_deg'] or 0) + 0.01:.6f}",
            }
            return {**row, column: values[column]}
        return row


def _moved(degrees: str, draw: random.Random, most: float) -> float:
    return max(-most, min(most, float(degrees) + draw.gauss(0, 0.2)))


def _dirty(row: Row, draw: random.Random) -> Row:
    """Return a row as people leave it."""
    faults: list[Row] = [
        {"name": f"  {row['name'].replace(' ', '  ')} "},
        {"ident": row["ident"].lower()},
        {"latitude_deg": "", "longitude_deg": ""},
        {"latitude_deg": "123.4"},
        {"elevation_ft": "unknown"},
        {"iata_code": "0"},
        {"iata_code": f"Q{draw.choice('ABCDEFGHIJ')}{draw.choice('ABCDEFGHIJ')}"},
        {"municipality": row["municipality"].upper()},
    ]
    return {**row, **draw.choice(faults)}


def write_generated(folder: Path, rows: int) -> dict[str, str]:
    """Write both files; return their paths. Nothing but the bundled snapshot is held in memory."""
    source = Source()
    new = range(rows, rows + rows // 20)
    files = {
        "first": (source.row(number) for number in range(rows)),
        "later": (row for number in (*range(rows), *new) if (row := source.later(number))),
    }
    return {name: _write(folder / f"{name}-{rows}.csv.gz", source.columns, lines) for name, lines in files.items()}


def _write(path: Path, columns: list[str], rows: Iterator[Row]) -> str:
    with gzip.open(path, "wt", encoding="utf-8", newline="", compresslevel=1) as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


if __name__ == "__main__":
    print(json.dumps(write_generated(Path(sys.argv[1]), int(sys.argv[2]))))
