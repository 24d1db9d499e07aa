"""`python -m benchmarks.files FOLDER SOURCE [ROWS]`: write the packed CSV file in the formats that a worker is given.

A process of its own, so that the one that measures stays small. With ROWS there is a CSV file of so many rows, too,
made by repeating those of the source under other keys.
"""

import csv
import gzip
import json
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from openpyxl import Workbook

_FAR = 10_000_000


def write_files(folder: Path, source: Path, rows: int = 0) -> dict[str, str]:
    """Write the files; returns the path of each by its name."""
    with gzip.open(source, "rt", encoding="utf-8", newline="") as stream:
        header, *table = csv.reader(stream)
    written = {
        "CSV": _delimited(folder / "update.csv", header, table),
        "TSV": _delimited(folder / "update.tsv", header, table, delimiter="\t"),
        "XLSX": _xlsx(folder / "update.xlsx", header, table),
    }
    if rows:
        repeated = (row for _number, row in zip(range(rows), _repeated(header, table), strict=False))
        written["large CSV"] = _delimited(folder / "large.csv", header, repeated)
    return written


def _repeated(header: list[str], table: list[list[str]]) -> Iterator[list[str]]:
    key, ident, iata = (header.index(name) for name in ("id", "ident", "iata_code"))
    yield from table
    for turn in count(1):
        for row in table:
            copy = list(row)
            copy[key] = str(int(row[key]) + turn * _FAR)
            copy[ident], copy[iata] = f"{row[ident]}-{turn}", ""
            yield copy


def _delimited(path: Path, header: list[str], table: object, *, delimiter: str = ",") -> str:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=delimiter)
        writer.writerow(header)
        writer.writerows(table)
    return str(path)


def _xlsx(path: Path, header: list[str], table: list[list[str]]) -> str:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("airports")
    for row in (header, *table):
        sheet.append(row)
    book.save(path)
    return str(path)


if __name__ == "__main__":
    folder, source, *rows = sys.argv[1:]
    print(json.dumps(write_files(Path(folder), Path(source), *map(int, rows))))
