"""`python -m benchmarks.years --database URL`: years of imports from upstream, and what history they leave.

Each import is of a whole file, of which some rows changed since the one before, and some are new. Its rows are at
first those of the beginning of the bundled snapshot; all that is random comes from a seed. By default 1,826 imports on
a table of 1,000 airports, each with the changes of a day as the real files of 2022 and 2026 show them: 23,168 changed
and 11,504 new rows in about 1,280 days. With `--keep` history older than so many imports is pruned after each thirtieth
one. A line is printed after each fifth of the imports. The database at URL is made anew, and dropped at the end.
"""

import argparse
import csv
import gzip
import io
import json
import os
import random
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import datetime
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import django

from benchmarks.measure import ROOT, drop, make_empty, sqlite_path

SNAPSHOT = ROOT / "data" / "ourairports-2022-10-11.csv.gz"
PRUNE_EVERY = 30
PAGES = {"changes": "/admin/changesets/changeset/", "airports": "/admin/airports/airport/"}


class Upstream:
    """The file of one day after the other."""

    def __init__(self, rows: int, *, changed: int, new: int, seed: int) -> None:
        self.changed, self.new = changed, new
        self.random = random.Random(seed)
        with gzip.open(SNAPSHOT, "rt", encoding="utf-8", newline="") as whole:
            lines = csv.reader(whole)
            self.header = next(lines)
            self.rows = list(islice(lines, rows))
        self.at = {name: self.header.index(name) for name in ("id", "ident", "name", "elevation_ft", "iata_code")}
        self.next_id = 10_000_000

    def write(self, file: Path) -> None:
        """Write the file as it is today."""
        with file.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([self.header, *self.rows])

    def move_on(self) -> None:
        """Change some rows, and add some."""
        for number, row in enumerate(self.random.sample(self.rows, min(self.changed, len(self.rows)))):
            if number % 3:
                row[self.at["elevation_ft"]] = str(self.random.randint(0, 9000))
            else:
                row[self.at["name"]] = f"{row[self.at['name']].split(' No ')[0]} No {self.random.randint(1, 10**6)}"
        for _ in range(self.new):
            row = list(self.random.choice(self.rows))
            row[self.at["id"]], row[self.at["ident"]] = str(self.next_id), f"N{self.next_id:X}"
            row[self.at["iata_code"]], row[self.at["name"]] = "", f"New field {self.next_id}"
            self.next_id += 1
            self.rows.append(row)


def simulate(args: argparse.Namespace, folder: Path) -> None:
    """Run the imports, and print what there is after each fifth of them."""
    upstream = Upstream(args.rows, changed=args.changed, new=args.new, seed=args.seed)
    file, took, moments, pruned = folder / "airports.csv", [], [], 0.0
    for day in range(args.imports + 1):
        upstream.write(file)
        took.append(_seconds(lambda: _command("import_airports", "--file", str(file), "--reason", "a day")))
        moments.append(datetime.now(tz=ZoneInfo("UTC")))
        if args.keep and day > args.keep and day % PRUNE_EVERY == 0:
            before = f"{moments[day - args.keep]:%Y-%m-%d %H:%M:%S}"
            pruned += _seconds(lambda before=before: _command("prune_history", "--before", before))
        if day and day % (args.imports // 5) == 0:
            told = {"imports": day, **_state(args.database), "import_s": round(median(took[-10:]), 2)}
            print(json.dumps({**told, "prune_s": round(pruned, 1), **_pages()}), flush=True)
        upstream.move_on()


def _command(name: str, *arguments: str) -> dict[str, Any]:
    from django.core.management import call_command

    with redirect_stdout(io.StringIO()) as printed:
        call_command(name, *arguments, "--json")
    return json.loads(printed.getvalue().splitlines()[-1])


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _state(url: str) -> dict[str, Any]:
    """Return how much there is, swept as autovacuum would in time."""
    from django.db import connection

    from apps.airports.models import Airport
    from apps.changesets.models import Changeset

    history = Airport.history.model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE")
            cursor.execute(f"SELECT pg_database_size(current_database()), pg_total_relation_size('{history}')")
            size, of_history = cursor.fetchone()
        else:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            size, of_history = Path(sqlite_path(url)).stat().st_size, 0
    counts = {"airports": Airport.objects.count(), "history": Airport.history.count()}
    sizes = {"database_mb": round(size / 1e6, 1), "history_mb": round(of_history / 1e6, 1)}
    return {**counts, "changesets": Changeset.objects.count(), **sizes}


def _pages() -> dict[str, float]:
    """Return the seconds of two lists, opened the second time, and of a look at all rows."""
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client(HTTP_X_FORWARDED_PROTO="https")
    client.force_login(User.objects.filter(is_superuser=True).first() or User.objects.create_superuser("root"))
    took = {}
    for name, address in PAGES.items():
        client.get(address)
        took[f"{name}_s"] = round(_seconds(lambda address=address: client.get(address)), 3)
    return {**took, "audit_s": round(_seconds(lambda: _command("audit_history")), 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True, metavar="URL")
    parser.add_argument("--imports", type=int, default=1826)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--changed", type=int, default=18)
    parser.add_argument("--new", type=int, default=9)
    parser.add_argument("--keep", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "DATABASE_URL": args.database,
            "BENCHMARK_FOLDER": folder,
            "DJANGO_SETTINGS_MODULE": "benchmarks.console_settings",
            "VAR_DIR": folder,
        }
        make_empty(args.database)
        django.setup()
        from django.core.management import call_command
        from django.db import connections

        call_command("migrate", verbosity=0)
        try:
            simulate(args, Path(folder))
        finally:
            connections.close_all()
            if hasattr(connections["default"], "close_pool"):
                connections["default"].close_pool()
            drop(args.database)


if __name__ == "__main__":
    main()
