"""Fresh databases, and child processes timed from start to end."""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

ROOT = Path(__file__).resolve().parent.parent
# What the console sets on SQLite; the floor and the stock tables get the same.
PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-40960")


@dataclass(frozen=True)
class Measurement:
    """One child process: its time, its peak memory, and the JSON that it printed.

    `cpu_seconds` are its own, without those of a database server; they tell more than `seconds` on a busy machine.
    """

    seconds: float
    peak_mb: float
    printed: dict = field(default_factory=dict)
    cpu_seconds: float = 0.0

    def as_dict(self) -> dict:
        return asdict(self)


class ChildFailed(Exception):
    """A measured process ended with an error; its text is what the process wrote."""


def run_child(arguments: list[str], *, url: str) -> Measurement:
    """Run Python with `arguments` on the database at `url` and return what it took, start-up included.

    Linux counts the memory of the parent at the fork as the child's, so this process itself must stay small.
    """
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**_environment(), "DATABASE_URL": url},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as child:
        printed = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        # Told by hand, because wait4 took the status that Popen would ask for.
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise ChildFailed(f"{' '.join(arguments)}: exit {child.returncode}\n{printed[-2000:]}")
    cpu_seconds = usage.ru_utime + usage.ru_stime
    return Measurement(seconds, usage.ru_maxrss / 1024, last_json(printed), cpu_seconds)


def _environment() -> dict[str, str]:
    """Return the environment of an ordinary machine, where Python keeps compiled files."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def last_json(printed: str) -> dict:
    """Return the JSON object on the last line that holds one, or an empty dictionary."""
    for line in reversed(printed.splitlines()):
        if line.startswith("{"):
            return json.loads(line)
    return {}


def make_empty(url: str) -> None:
    """Make the database at `url` anew, without tables."""
    drop(url)
    if not url.startswith("sqlite"):
        with _server(url) as connection:
            connection.execute(f'CREATE DATABASE "{_name(url)}"')


def drop(url: str) -> None:
    """Remove the database at `url` if it exists."""
    if url.startswith("sqlite"):
        for suffix in ("", "-wal", "-shm"):
            Path(sqlite_path(url) + suffix).unlink(missing_ok=True)
        return
    with _server(url) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{_name(url)}" WITH (FORCE)')


def sqlite_path(url: str) -> str:
    """Return the path of the file that `sqlite:///...` names."""
    return url.removeprefix("sqlite:///")


def _server(url: str) -> psycopg.Connection:
    return psycopg.connect(urlsplit(url)._replace(path="/postgres").geturl(), autocommit=True)


def _name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")
