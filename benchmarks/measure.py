"""Fresh databases, and child processes timed from start to end: seconds, CPU seconds of both sides, memory."""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

ROOT = Path(__file__).resolve().parent.parent
# What the console sets on SQLite; the floor and the peers' tables get the same.
PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-40960")
MANAGE = ["manage.py"]
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Measurement:
    """One child process: its time, its peak memory, and the JSON that it printed.

    `cpu_seconds` are its own and its children's, `server_cpu_seconds` those of all processes of the database server
    meanwhile. Together they tell more than `seconds` on a busy machine.
    """

    seconds: float
    peak_mb: float
    printed: dict = field(default_factory=dict)
    cpu_seconds: float = 0.0
    server_cpu_seconds: float = 0.0

    @property
    def cpu(self) -> float:
        """The CPU seconds of both sides."""
        return self.cpu_seconds + self.server_cpu_seconds

    def as_dict(self) -> dict:
        return asdict(self)


class ChildFailed(Exception):
    """A measured process ended with an error; its text is what the process wrote."""


def run_child(
    arguments: Sequence[str], *, url: str, python: str = sys.executable, env: dict[str, str] | None = None
) -> Measurement:
    """Run Python with `arguments` on the database at `url` and return what it took, start-up included.

    Linux counts the memory of the parent at the fork as the child's, so this process itself must stay small.
    """
    server, started = server_cpu(url), time.perf_counter()
    with subprocess.Popen(
        [python, *arguments],
        cwd=ROOT,
        env={**_environment(), **(env or {}), "DATABASE_URL": url},
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
    return Measurement(
        round(seconds, 3),
        round(usage.ru_maxrss / 1024, 1),
        last_json(printed),
        round(cpu_seconds, 3),
        round(server_cpu(url) - server, 3),
    )


def server_cpu(url: str) -> float:
    """Return the CPU seconds of all processes that the server of PostgreSQL has had; 0 on SQLite or another machine."""
    postmaster = os.environ.get("BENCHMARK_POSTMASTER")
    if url.startswith("sqlite") or not postmaster:
        return 0.0
    return _cpu_of(postmaster) + sum(_cpu_of(child) for child in children_of(postmaster))


def children_of(pid: str) -> list[str]:
    """Return the processes that a process has started."""
    return Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()


def _cpu_of(pid: str) -> float:
    """Return the CPU seconds of a process and of its children that have ended; 0 for one that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, fields[11:15])) / _TICKS


def timed(work: Callable[[], Any], url: str) -> tuple[dict[str, float], Any]:
    """Return the seconds of a piece of this process, its CPU seconds, those of the server, and its result."""
    server, started, busy = server_cpu(url), time.perf_counter(), _own_cpu()
    result = work()
    seconds, own = time.perf_counter() - started, _own_cpu() - busy
    return {"seconds": round(seconds, 4), "cpu": round(own + server_cpu(url) - server, 4)}, result


def _own_cpu() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


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


def copy_database(source: str, target: str) -> None:
    """Make the database at `target` anew as a copy of the one at `source`, which nobody uses."""
    drop(target)
    if source.startswith("sqlite"):
        shutil.copy(sqlite_path(source), sqlite_path(target))
        return
    with _server(target) as connection:
        connection.execute(f'CREATE DATABASE "{_name(target)}" TEMPLATE "{_name(source)}"')
        # Else the first checkpoint after the copy is counted as work of whatever runs first.
        connection.execute("CHECKPOINT")


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


def beside(url: str, name: str) -> str:
    """Return the address of another database on the same server, or in the same folder."""
    return url.rpartition("/")[0] + "/" + name + (".sqlite3" if url.startswith("sqlite") else "")


def _server(url: str) -> psycopg.Connection:
    return psycopg.connect(urlsplit(url)._replace(path="/postgres").geturl(), autocommit=True)


def _name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")
