"""The databases of a run: a file of SQLite, and a cluster of PostgreSQL of its own, so that its CPU can be counted."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import PROGRAMS, Cluster, folder_for_postgres

# As a server has it: it waits for the disk, and it sweeps.
AS_A_SERVER = ("fsync = on", "autovacuum = on", "shared_buffers = 128MB", "max_connections = 200")


@contextmanager
def database_server(database: str, scratch: Path) -> Iterator[str]:
    """Give the address of a database that may be made; the server is gone at the end."""
    if database == "SQLite":
        yield f"sqlite:///{scratch / 'bench.sqlite3'}"
        return
    with folder_for_postgres() as folder:
        cluster = Cluster.make(folder / "data", *AS_A_SERVER)
        try:
            pid = (cluster.folder / "postmaster.pid").read_text(encoding="ascii").split()[0]
            os.environ["BENCHMARK_POSTMASTER"] = pid
            yield cluster.url("bench")
        finally:
            os.environ.pop("BENCHMARK_POSTMASTER", None)
            cluster.stop("immediate")


def postgresql_is_here() -> bool:
    """Whether a cluster can be made on this machine."""
    return bool(PROGRAMS)
