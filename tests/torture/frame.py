"""The frame of trials: draw them by a seed, print what fails with the command that repeats it, and count."""

import argparse
import gc
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from psycopg import OperationalError

POSTGRES_URL = os.environ.get("POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/travelmathlite_ci")
Counts = dict[str, tuple[int, int]]


@dataclass
class Trial:
    """One trial: what it was, and what was wrong."""

    name: str
    complaints: list[str] = field(default_factory=list)

    def require(self, holds: bool, complaint: str) -> None:
        """Note a complaint unless something holds."""
        if not holds:
            self.complaints.append(complaint)


def main(prog: str, kinds: list[str], *, trials: int) -> int:
    """Do what the command line asks for; return 1 if a trial failed.

    The trials are those of the arena that the module `trials` of the package gives for a database and a folder.
    """
    asked = _arguments(prog, kinds, trials)
    print(f"Seed {asked.seed}; {asked.trials} trials", flush=True)
    counts: dict[str, Counts] = {}
    for url in asked.database:
        # A process each: what is loaded for one database does not fit the other.
        with ProcessPoolExecutor(1, mp_context=get_context("fork")) as process:
            try:
                counts[url.partition(":")[0]] = process.submit(try_on, url, asked).result()
            except OperationalError as error:
                print(f"There is no PostgreSQL at {url}: {' '.join(str(error).split())}")
                return 1
    failed = 0
    for database, kinds in counts.items():
        for kind, (number, bad) in kinds.items():
            failed += bad
            print(f"{database:10} {kind:10} {number:4} trials, {bad} failed")
    return 1 if failed else 0


def _arguments(prog: str, kinds: list[str], trials: int) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m {prog}", description=__doc__)
    parser.set_defaults(prog=prog)
    parser.add_argument("--trials", type=int, default=trials, help=f"how many, over all databases (default {trials})")
    parser.add_argument("--minutes", type=float, help="stop after so many minutes, over all databases")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="what is drawn by")
    parser.add_argument("--kind", action="append", choices=kinds, help="only trials of this kind (repeatable)")
    parser.add_argument(
        "--database", action="append", metavar="URL", help="sqlite: or postgres://... (repeatable; default: both)"
    )
    asked = parser.parse_args()
    asked.database = asked.database or ["sqlite:", POSTGRES_URL]
    return asked


def try_on(url: str, asked: argparse.Namespace) -> Counts:
    """Do the trials on one database, and return how many there were of each kind, and how many failed."""
    ends = time.monotonic() + (asked.minutes or 10**6) * 60 / len(asked.database)
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        if url.startswith("sqlite"):
            url = f"sqlite:///{folder}/none.sqlite3"
        _load_console(url, folder)
        # It needs the console, which a process of its own loads for each database.
        with import_module(f"{asked.prog}.trials").arena(url, Path(folder)) as world:
            return _count(world, url, asked, ends)


def _count(world: Any, url: str, asked: argparse.Namespace, ends: float) -> Counts:
    numbers, failures = Counter[str](), Counter[str]()
    for kind, seed, trial in _trials(world, asked, ends):
        numbers[kind] += 1
        failures[kind] += bool(trial.complaints)
        _tell(trial, f"{asked.prog} --kind {kind!r} --seed {seed} --trials 1 --database {url}")
    return {kind: (number, failures[kind]) for kind, number in numbers.items()}


def _trials(world: Any, asked: argparse.Namespace, ends: float) -> Iterator[tuple[str, int, Trial]]:
    """Do the trials in turns, a seed each; those of `last` come once, in the long form."""
    kinds = [kind for kind in world.kinds if not asked.kind or kind in asked.kind]
    for number in range(max(1, asked.trials // len(asked.database))) if kinds else ():
        if time.monotonic() > ends:
            return
        kind, seed = kinds[number % len(kinds)], asked.seed + number
        yield kind, seed, world.kinds[kind](random.Random(seed))
    for kind, do in world.last.items():
        if kind in (asked.kind or ([] if asked.minutes else world.last)):
            trial = do()
            print(trial.name, flush=True)
            yield kind, asked.seed, trial


def _load_console(url: str, folder: str) -> None:
    os.environ |= {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "travelmathlite.settings",
        "SECRET_KEY": "torture" * 10,
        "DEBUG": "true",
        "BACKUP_DIR": f"{folder}/backups",
    }
    import django
    from django.conf import settings

    django.setup()
    __import__(settings.ROOT_URLCONF)
    # What is loaded is no garbage: no fork looks through it.
    gc.freeze()
    from django.test.utils import setup_test_environment

    setup_test_environment(debug=False)


def _tell(trial: Trial, options: str) -> None:
    if trial.complaints:
        # SQLite's own file is gone by then.
        options = options if "postgres" in options else options.rpartition(" ")[0] + " sqlite:"
        print(f"FAILED {trial.name}\n  " + "\n  ".join(trial.complaints))
        print(f"  Again: uv run python -m {options}", flush=True)
