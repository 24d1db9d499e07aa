"""`python -m benchmarks.readers`: our readers of XLSX, ODS and JSON beside others, on large, odd and hostile files.

python-calamine is no dependency: `uv run --with python-calamine python -m benchmarks.readers`. Each file is read by
each reader in a process of its own, which may take so much memory and so much time and no more.
"""

import argparse
import json
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.measure import ROOT, ChildFailed, Measurement, run_child

SNAPSHOT = ROOT / "data" / "ourairports-2022-10-11.csv.gz"
PARTS = ["large", "odd", "hostile"]
MOST_MEMORY = 4 * 1024**3
MOST_SECONDS = 60
Rows = Iterable[Iterable[Any]]


def ours(path: str) -> Rows:
    """Read with the console's reader, without its limit of rows."""
    from apps.imports.reading import ods, rows
    from apps.imports.reading.sources import from_path

    ods.ROW_LIMIT = 10**7
    raw = rows.read(from_path(path))
    yield raw.header
    for chunk in raw.chunks:
        yield from chunk.rows


def openpyxl(path: str) -> Rows:
    """Read with openpyxl, one row after the other."""
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True, data_only=True)
    yield from book.worksheets[0].iter_rows(values_only=True)


def calamine(path: str) -> Rows:
    """Read with python-calamine."""
    from python_calamine import CalamineWorkbook

    yield from CalamineWorkbook.from_path(path).get_sheet_by_index(0).iter_rows()


def stdlib(path: str) -> Rows:
    """Read JSON with the standard library."""
    with Path(path).open(encoding="utf-8") as file:
        yield from (item.values() for item in json.load(file))


READERS: dict[str, Callable[[str], Rows]] = {f.__name__: f for f in (ours, openpyxl, calamine, stdlib)}
READ_BY = {"XLSX": ("ours", "openpyxl", "calamine"), "ODS": ("ours", "calamine"), "JSON": ("ours", "stdlib")}


def read_here(reader: str, path: str) -> dict[str, Any]:
    """Read a file in this process and return the numbers of rows and cells and the last row, or the error."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS + 1))
    rows = cells = 0
    last: list[Any] = []
    try:
        for row in READERS[reader](path):
            last = list(row)
            rows, cells = rows + 1, cells + len(last)
    except Exception as error:
        words = " ".join(f"{type(error).__name__}: {error}".replace(str(Path(path).parent), "").split())
        return {"error": words[:160]}
    return {"rows": rows, "cells": cells, "last": [repr(value)[:40] for value in last[:3]]}


def measure(reader: str, path: str) -> tuple[Measurement | None, str]:
    """Return the measurement of reading, and the result in words."""
    try:
        measured = run_child(["-m", "benchmarks.readers", "--read", reader, path], url="sqlite://:memory:")
    except ChildFailed as error:
        status = str(error).partition("exit ")[2].partition("\n")[0]
        ends = {
            str(-signal.SIGXCPU): f"nothing after {MOST_SECONDS} s of work",
            str(-signal.SIGSEGV): "crashes (SIGSEGV)",
        }
        return None, ends.get(status, f"ends with {status} ({str(error).strip().splitlines()[-1][:80]})")
    answer = measured.printed
    return measured, answer.get("error") or f"{answer['rows']:,} rows, {answer['cells']:,} cells"


def report(files: dict[str, dict[str, str]], parts: list[str], rounds: int) -> None:
    """Print a table of each part: of the large files, of the odd ones and of the hostile ones."""
    if "large" in parts:
        _print_measured("file", files["large"], rounds)
    if "odd" in parts:
        names = READ_BY["XLSX"]
        print(f"\n| cell | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
        for name, path in files["odd"].items():
            cells = (read_apart(reader, path) for reader in names)
            print(f"| {name} | {' | '.join(cells)} |", flush=True)
    if "hostile" in parts:
        _print_measured("hostile file", files["hostile"], 1)


def _print_measured(heading: str, files: dict[str, str], rounds: int) -> None:
    print(f"\n| {heading} | reader | cpu s | s | peak MB | what came |\n|---|---|---:|---:|---:|---|")
    for name, path in files.items():
        for reader in READ_BY[name[:4].strip(" :")]:
            _print_best(name, reader, [measure(reader, path) for _ in range(rounds)])


def read_apart(reader: str, path: str) -> str:
    """Return the result of an odd file in short."""
    measured, words = measure(reader, path)
    if measured is None or "error" in measured.printed:
        return words
    answer = measured.printed
    return f"{answer['rows']} rows, last " + ", ".join(f"`{value}`" for value in answer["last"])


def _print_best(name: str, reader: str, taken: list[tuple[Measurement | None, str]]) -> None:
    measured, words = min(taken, key=lambda pair: pair[0].cpu_seconds if pair[0] else MOST_SECONDS)
    figures = "- | - | -"
    if measured is not None:
        figures = f"{measured.cpu_seconds:.1f} | {measured.seconds:.1f} | {measured.peak_mb:.0f}"
    print(f"| {name} | {reader} | {figures} | {words} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--snapshot", type=Path, default=SNAPSHOT, help="the airports, as a packed CSV file")
    parser.add_argument("--rounds", type=int, default=3, help="how often the large files are read; the best is told")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="which tables to make")
    parser.add_argument("--read", nargs=2, metavar=("READER", "PATH"), help="read one file in this process")
    options = parser.parse_args()
    if options.read:
        print(json.dumps(read_here(*options.read)))
        sys.stdout.flush()
        # What a reader holds is not worth the time to give it back.
        os._exit(0)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "travelmathlite.settings")
    with tempfile.TemporaryDirectory(prefix="readers-") as folder:
        written = run_child(["-m", "benchmarks.sheets", folder, str(options.snapshot)], url="sqlite://:memory:")
        report(written.printed, options.parts, options.rounds)


if __name__ == "__main__":
    main()
