"""Servers of a test's own, beside the database of all tests: Redis, and clusters of PostgreSQL."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))


def free_port() -> int:
    """Return a port of this machine that nothing listens to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(true: Callable[[], object], what: str, *, seconds: float = 60) -> None:
    """Return once it is true; fails with these words where that takes longer."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@contextmanager
def redis_server(folder: Path, *, port: int = 0) -> Iterator[str]:
    """Start a Redis server, and give its address: a file, or a port of this machine."""
    if shutil.which("redis-server") is None:
        pytest.skip("no Redis here: install Debian's package redis-server")
    place = folder / "redis.sock"
    command = ["redis-server", "--port", str(port), "--unixsocket", place, "--save", "", "--dir", folder]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        next(line for line in server.stdout if "accept connections" in line)
        yield f"redis://127.0.0.1:{port}/0" if port else f"unix://{place}"
    finally:
        server.terminate()
        server.communicate()


@contextmanager
def pgbouncer(folder: Path, server: str, printed: str) -> Iterator[str]:
    """Start PgBouncer with the configuration that is printed, in front of a server, and give the address of a server.

    Only the places, the port and the server are others; who comes has a password.
    """
    if shutil.which("pgbouncer") is None:
        pytest.skip("no PgBouncer here: install Debian's package pgbouncer")
    there, port = urlsplit(server), free_port()
    for pattern, real in {
        r"host=127\.0\.0\.1 port=5432": f"host={there.hostname} port={there.port or 5432}",
        r"\b6432\b": str(port),
        r"(?<== )/\S+/(?=userlist|pgbouncer)": f"{folder}/",
        r"(?<=unix_socket_dir = )\S+": str(folder),
    }.items():
        printed, number = re.subn(pattern, real, printed)
        assert number, f"{pattern} is nowhere in the printed configuration"
    (folder / "pgbouncer.ini").write_text(printed)
    (folder / "userlist.txt").write_text(f'"{there.username or "postgres"}" "a password"\n')
    as_postgres("pgbouncer", "--daemon", folder / "pgbouncer.ini")
    try:
        yield f"postgres://{there.username or 'postgres'}:a%20password@127.0.0.1:{port}"
    finally:
        os.kill(int((folder / "pgbouncer.pid").read_text()), signal.SIGQUIT)


class Cluster:
    """A cluster of PostgreSQL in a folder, of the user postgres where the tests are root's."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()

    @classmethod
    def make(cls, folder: Path, *settings: str) -> "Cluster":
        """Make a new cluster with these lines in its configuration, and start it."""
        made = cls(folder)
        as_postgres("initdb", "--auth", "trust", "--username", "postgres", "--no-sync", "--pgdata", folder)
        made.configure("fsync = off", "shared_buffers = 32MB", *settings)
        made.start()
        return made

    def copy(self, folder: Path, *options: str) -> "Cluster":
        """Return a copy by pg_basebackup, which is not started; `-R` makes it a replica."""
        as_postgres("pg_basebackup", "-d", self.url("postgres"), "-D", folder, "-c", "fast", *options)
        return Cluster(folder)

    def configure(self, *settings: str) -> None:
        """Add lines to the configuration."""
        with (self.folder / "postgresql.conf").open("a") as file:
            file.writelines(f"{line}\n" for line in settings)

    def start(self, *, wait: bool = True) -> None:
        """Start the cluster at its port of this machine."""
        where = f"-p {self.port} -k {self.folder.parent} -c listen_addresses=127.0.0.1"
        how = ["-w", "-t", "60"] if wait else ["-W"]
        as_postgres("pg_ctl", "start", "-D", self.folder, "-l", self.folder / "log", "-o", where, *how)

    def stop(self, mode: str = "fast") -> None:
        """Stop the cluster if it runs; `immediate` is how one dies."""
        if (self.folder / "postmaster.pid").exists():
            as_postgres("pg_ctl", "stop", "-D", self.folder, "-m", mode, "-w")

    def url(self, database: str) -> str:
        """Return the address of a database."""
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def ask(self, question: str, database: str = "postgres") -> object:
        """Run a statement, and return the first value of what it returns."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            answer = connection.execute(question)
            return answer.fetchone()[0] if answer.description else None


@contextmanager
def folder_for_postgres() -> Iterator[Path]:
    """Give a folder that the user postgres may make clusters in; it is none of pytest's, which only root may open."""
    folder = Path(tempfile.mkdtemp(prefix="clusters-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def as_postgres(program: str, *arguments: object) -> None:
    """Run a program of PostgreSQL, or one beside it, as its user, since it refuses to run as root."""
    if not PROGRAMS:
        pytest.skip("no server of PostgreSQL here: install Debian's package postgresql")
    other = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    its_own = PROGRAMS[-1] / program
    done = subprocess.run(
        [*other, its_own if its_own.exists() else program, *map(str, arguments)],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{program}: {done.stderr}"


def drop_database(server: str, name: str) -> None:
    """Drop a database whoever is connected to it."""
    with psycopg.connect(server, dbname="postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def at(server: str, database: str, *, host: str = "") -> str:
    """Return the address of a database on a server, perhaps by another name of its host."""
    parts = urlsplit(server)
    who = parts.netloc.rpartition("@")[0] or "postgres"
    return f"postgres://{who}@{host or parts.hostname}:{parts.port or 5432}/{database}"
