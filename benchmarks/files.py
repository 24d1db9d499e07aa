"""`python -m benchmarks.files FOLDER SOURCE`: write the packed CSV file in the formats that a worker is given.

A process of its own, so that the one that measures stays small.
"""

import csv
import gzip
import json
import sys
from pathlib import Path

from openpyxl import Workbook


def write_files(folder: Path, source: Path) -> dict[str, str]:
    """Write the files; returns the path of each by its name."""
    with gzip.open(source, "rt", encoding="utf-8", newline="") as stream:
        header, *table = csv.reader(stream)
    return {
        "CSV": _delimited(folder / "update.csv", header, table),
        "TSV": _delimited(folder / "update.tsv", header, table, delimiter="\t"),
        "XLSX": _xlsx(folder / "update.xlsx", header, table),
    }


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
    folder, source = map(Path, sys.argv[1:])
    print(json.dumps(write_files(folder, source)))
