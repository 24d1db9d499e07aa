"""`python -m benchmarks.stock.sampling FOLDER ROWS SOURCE [UPDATE]`: write the samples for the stock processes.

A process of its own, so that the one that measures stays small.
"""

import csv
import gzip
import json
import sys
import zlib
from pathlib import Path


def write_samples(folder: Path, sample: int, source: Path, update: Path | None = None) -> dict[str, tuple[str, int]]:
    """Write the sample files and return path and number of rows of each.

    Whole municipalities are drawn, so that a sample has as many cities a row as the file has. The sample of the update
    is what became of the same airports, and the same share of the new ones.
    """
    rows = read(source)
    one_in = max(1, round(len(rows) / sample))
    first = [row for row in rows if is_drawn(row, one_in)]
    files = {"empty": write(folder / "empty.csv", rows[:1], []), "first": write(folder / "first.csv", rows, first)}
    if update is not None:
        drawn, known = {row["id"] for row in first}, {row["id"] for row in rows}
        newer = read(update)
        kept = [row for row in newer if row["id"] in drawn or (row["id"] not in known and is_drawn(row, one_in))]
        files["update"] = write(folder / "update.csv", newer, kept)
    return files


def is_drawn(row: dict[str, str], one_in: int) -> bool:
    """Return whether the municipality of this row (or the row, if it has none) belongs to the sample."""
    place = row["iso_country"] + (row["municipality"].casefold() or row["id"])
    return zlib.crc32(place.encode()) % one_in == 0


def read(source: Path) -> list[dict[str, str]]:
    """Return the rows of a packed CSV file."""
    with gzip.open(source, "rt", encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def write(path: Path, like: list[dict[str, str]], rows: list[dict[str, str]]) -> tuple[str, int]:
    """Write `rows` with the columns of `like`; returns the path and the number of rows."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(like[0]))
        writer.writeheader()
        writer.writerows(rows)
    return str(path), len(rows)


if __name__ == "__main__":
    folder, sample, *sources = sys.argv[1:]
    print(json.dumps(write_samples(Path(folder), int(sample), *map(Path, sources))))
