"""`python -m benchmarks.files FOLDER SOURCE FORMAT ...`: write the packed CSV file in formats that a worker is given.

A process of its own, so that the one that measures stays small.
"""

import csv
import gzip
import json
import sys
from functools import partial
from pathlib import Path

from openpyxl import Workbook


def write_files(folder: Path, source: Path, formats: list[str]) -> dict[str, str]:
    """Write the files; returns the path of each by its format."""
    with gzip.open(source, "rt", encoding="utf-8", newline="") as stream:
        header, *table = csv.reader(stream)
    writers = {"CSV": _delimited, "TSV": partial(_delimited, delimiter="\t"), "XLSX": _xlsx}
    return {name: writers[name](folder / f"update.{name.lower()}", header, table) for name in formats}


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
    folder, source, *formats = sys.argv[1:]
    print(json.dumps(write_files(Path(folder), Path(source), formats)))
