"""`python -m benchmarks.run`: the console, the floor and a stock set-up, measured side by side in one run."""

import argparse
import gzip
import json
import os
import platform
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.backups import backup_table_of, measure_backups
from benchmarks.bulk import measure_bulk, table_of_bulk
from benchmarks.floor import measure_floor
from benchmarks.measure import ROOT, drop
from benchmarks.ours import measure_ours
from benchmarks.report import Rounds, memory_table_of, preview_table_of, table_of
from benchmarks.stock.measuring import measure_stock, measure_whole_preview
from benchmarks.uploading import measure_memory, measure_pages, write_update_files

BUNDLED = ROOT / "data" / "ourairports-2022-10-11.csv.gz"
UPDATE = ROOT.parent / "shared" / "data" / "ourairports" / "airports-2026-04.csv.gz"
PARTS = ["ours", "floor", "pages", "memory", "bulk", "stock", "backups"]
RESULTS = ROOT / "benchmarks" / "results"


def main() -> None:
    """Measure, print the tables as Markdown, and write everything as JSON."""
    options = parse()
    update = options.update if options.update and options.update.exists() else None
    whole = {"first": count_rows(BUNDLED), "update": count_rows(update) if update else 0}
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        os.environ |= {"BACKUP_DIR": str(scratch / "backups"), "BENCHMARK_FOLDER": str(scratch)}
        urls = {"SQLite": f"sqlite:///{scratch / 'bench.sqlite3'}", "PostgreSQL": options.postgres}
        results = [
            measure(name, urls[name], options=options, update=update, scratch=scratch) for name in options.databases
        ]
    for rounds in results:
        for table in (
            table_of(rounds, whole),
            preview_table_of(rounds, whole),
            memory_table_of(rounds),
            table_of_bulk(rounds.bulk, rounds.database),
            backups_of(rounds),
        ):
            print(table, end="\n" if table else "")
    written = write_json(results, whole, options)
    print(f"Everything measured: {written.relative_to(ROOT)}")


def parse() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="medians are over this many rounds (default: 3)")
    parser.add_argument("--databases", nargs="+", choices=["SQLite", "PostgreSQL"], default=["SQLite", "PostgreSQL"])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--sample", type=int, default=5000, help="about how many rows stock gets (default: 5000)")
    parser.add_argument("--large", type=int, default=1_000_000, help="rows of the large file (default: 1000000)")
    parser.add_argument("--whole-preview", action="store_true", help="also measure the stock preview of all rows")
    parser.add_argument("--update", type=Path, default=UPDATE, help="a newer packed airports.csv")
    parser.add_argument(
        "--postgres",
        default="postgres://postgres@127.0.0.1:5432/travelmathlite_bench",
        help="address of a database to make and drop",
    )
    return parser.parse_args()


def measure(name: str, url: str, *, options: argparse.Namespace, update: Path | None, scratch: Path) -> Rounds:
    """Return the figures of all rounds on one database; the parts take turns, so that all have the same load."""
    rounds = Rounds(name)
    for number in range(1, options.rounds + 1):
        print(f"{name}, round {number} of {options.rounds}", file=sys.stderr, flush=True)
        if "floor" in options.parts:
            rounds.floor.append(measure_floor(url, BUNDLED))
        if "ours" in options.parts:
            for step, measured in measure_ours(url, update=update):
                rounds.ours.setdefault(step, []).append(measured)
        if "pages" in options.parts and update:
            files = write_update_files(url, update=update, scratch=scratch)
            for step, measured in measure_pages(url, files=files, scratch=scratch):
                rounds.pages.setdefault(step, []).append(measured)
        if "bulk" in options.parts:
            rounds.bulk.append(measure_bulk(url, update=update, scratch=scratch))
        if "stock" in options.parts:
            steps = measure_stock(url, source=BUNDLED, update=update, sample=options.sample, scratch=scratch)
            for step, measured, rows in steps:
                rounds.stock.setdefault(step, []).append((measured, rows))
    if update:
        measure_once(url, rounds, options=options, update=update, scratch=scratch)
    drop(url)
    return rounds


def measure_once(url: str, rounds: Rounds, *, options: argparse.Namespace, update: Path, scratch: Path) -> None:
    """Add the parts that run once: memory, and the stock preview of all rows, which takes minutes."""
    if "memory" in options.parts:
        files = write_update_files(url, update=update, scratch=scratch, rows=options.large)
        for step, measured in measure_memory(url, files=files, scratch=scratch):
            rounds.memory[step] = measured
    if "backups" in options.parts:
        options_of_backup = {"first": BUNDLED, "update": update, "scratch": scratch, "rounds": options.rounds}
        for step, measured in measure_backups(url, **options_of_backup):
            rounds.backups.setdefault(step, []).append(measured)
    if options.whole_preview:
        rounds.whole_preview = measure_whole_preview(url, source=BUNDLED, update=update, scratch=scratch)


def backups_of(rounds: Rounds) -> str:
    """Return the table of the backups."""
    return backup_table_of(rounds.database, rounds.backups)


def count_rows(source: Path) -> int:
    """Return the number of rows of a packed CSV file that breaks no line inside a value."""
    with gzip.open(source, "rb") as stream:
        return sum(1 for _ in stream) - 1


def write_json(results: list[Rounds], whole: dict[str, int], options: argparse.Namespace) -> Path:
    """Write the measurements and the machine that they were made on; return the path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{time.strftime('%Y-%m-%dT%H%M%S')}.json"
    machine = {
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
    document = {"rounds": options.rounds, "rows": whole, "machine": machine}
    document["databases"] = [rounds.as_dict(whole) for rounds in results]
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")
    return path


if __name__ == "__main__":
    main()
