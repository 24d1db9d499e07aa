"""One run of parts on one database: its files, its worlds (databases that many parts copy), and its figures."""

import csv
import gzip
import random
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.figures import RESULTS, Figures
from benchmarks.floor import drop_triggers
from benchmarks.measure import MANAGE, ROOT, Measurement, beside, copy_database, make_empty, run_child

BUNDLED = ROOT / "data" / "ourairports-2022-10-11.csv.gz"
NEWER = ROOT.parent / "shared" / "data" / "ourairports" / "airports-2026-04.csv.gz"
# Without the backup that comes first: that is counted apart.
SETTINGS = "--settings=benchmarks.console_settings"
IMPORT = [*MANAGE, "import_airports", "--json", SETTINGS, "--file"]
ROLLBACK = [*MANAGE, "rollback_airports", "--yes", "--json", SETTINGS]
CORRECTED_ROWS, CORRECTIONS, DELETED_ROWS = 1000, 18, 2000


@dataclass
class Run:
    """What a part is given: addresses, files, sizes; and where it notes what it measured."""

    database: str
    url: str
    scratch: Path
    first: Path
    update: Path | None
    rounds: int = 3
    quick: bool = False
    sizes: Sequence[int] = (10_000, 100_000)
    people: int = 20
    folder: Path = RESULTS
    about: dict[str, Any] = field(default_factory=dict)
    worlds: dict[str, str] = field(default_factory=dict)

    def do(self, part: str, measure: Callable[["Run"], None], *, resumed: bool = False) -> bool:
        """Measure a part; return whether it went to its end. What it noted until then stays.

        One that is resumed keeps what was measured of it before.
        """
        self.part, began = part, time.monotonic()
        self.figures = Figures(part, self.database, folder=self.folder, about=self.about, resumed=resumed)
        try:
            measure(self)
        except Exception:
            self.say(f"failed:\n{traceback.format_exc()}")
            return False
        self.say(f"{time.monotonic() - began:8.0f} s for the whole part")
        return True

    def add(self, name: str, measured: Measurement | dict[str, Any]) -> None:
        """Keep a measurement, and say so."""
        self.figures.add(name, measured)
        figure = measured.as_dict() if isinstance(measured, Measurement) else measured
        took = f"{figure['seconds']:8.2f} s" if "seconds" in figure else " " * 10
        self.say(f"{took}  {name}")

    def say(self, what: str) -> None:
        """Print a line of progress."""
        clock = f"{time.strftime('%H:%M:%S')} {self.database:10} {self.part:8}"
        print(f"{clock} {what}", file=sys.stderr, flush=True)

    def child(self, name: str, arguments: Sequence[str], **options: Any) -> Measurement:
        """Run a process, keep what it took under this name, and return it."""
        measured = run_child(arguments, **{"url": self.url, **options})
        self.add(name, measured)
        return measured

    def plain(self, arguments: Sequence[str], *, url: str = "") -> Measurement:
        """Run a process that is not measured."""
        return run_child(arguments, url=url or self.url)

    def take(self, world: str) -> str:
        """Put a copy of a world where the parts work, and return its address."""
        copy_database(self.world(world), self.url)
        return self.url

    def world(self, name: str) -> str:
        """Return the address of a world, which is made when it is first asked for."""
        if name not in self.worlds:
            self.say(f"makes the world {name}")
            url = beside(self.url, f"world_{name}")
            _MAKERS[name](self, url)
            self.worlds[name] = url
        return self.worlds[name]

    def _make_migrated(self, url: str) -> None:
        make_empty(url)
        self.plain([*MANAGE, "migrate", "--verbosity", "0"], url=url)

    def _make_first(self, url: str) -> None:
        copy_database(self.world("migrated"), url)
        self.plain([*IMPORT, str(self.first)], url=url)

    def _make_floored(self, url: str) -> None:
        """Make the tables without triggers that the floor filled."""
        copy_database(self.world("migrated"), url)
        drop_triggers(url)
        self.plain(["-m", "benchmarks.floor", url, "load", str(self.first)], url=url)

    def _make_updated(self, url: str) -> None:
        """Make the world of 85,009 rows; without a newer snapshot it is that of the bundled one."""
        copy_database(self.world("first"), url)
        if self.update:
            self.plain([*IMPORT, str(self.update)], url=url)

    def _make_used(self, url: str) -> None:
        """Make a world as it is after a while: 20 imports, two of them whole, and a deletion of two thousand rows."""
        copy_database(self.world("updated"), url)
        self.plain(["-m", "benchmarks.steps", str(self.scratch), "user"], url=url)
        draw, lines = random.Random(1), _rows_of(self.update or self.first)
        for number in range(2 if self.quick else CORRECTIONS):
            file = self.scratch / f"corrections-{number}.csv"
            write_corrections(file, draw.sample(lines, min(len(lines), CORRECTED_ROWS)), number)
            self.plain([*IMPORT, str(file), "--source", "corrections"], url=url)
        self.plain(["-m", "benchmarks.steps", str(self.scratch), "delete", str(DELETED_ROWS)], url=url)


_MAKERS = {
    "migrated": Run._make_migrated,
    "first": Run._make_first,
    "floored": Run._make_floored,
    "updated": Run._make_updated,
    "used": Run._make_used,
}


def write_corrections(file: Path, rows: Sequence[dict[str, str]], number: int) -> None:
    """Write a file that corrects the elevation and the name of these airports."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "ident", "name", "elevation_ft"])
        writer.writerows([row["id"], row["ident"], f"{row['name']} ({number})", str(number)] for row in rows)


def write_sample(target: Path, source: Path, every: int) -> Path:
    """Write a packed file with one in so many rows of another."""
    with gzip.open(source, "rt", encoding="utf-8", newline="") as stream, gzip.open(target, "wt", newline="") as out:
        header, *rows = csv.reader(stream)
        number = header.index("id")
        csv.writer(out).writerows([header, *(row for row in rows if int(row[number]) % every == 0)])
    return target


def _rows_of(source: Path) -> list[dict[str, str]]:
    with gzip.open(source, "rt", encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
