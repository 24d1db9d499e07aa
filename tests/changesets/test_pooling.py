"""PgBouncer before PostgreSQL: in transaction mode it hands sessions on, and check and health say so."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.db import connection, connections

from apps.backups.aliases import alias_of
from apps.changesets.processes.pooling import shares_sessions
from travelmathlite import health

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="it is about PostgreSQL"),
    pytest.mark.skipif(PGBOUNCER is None, reason="no pgbouncer"),
]
CONFIGURATION = """
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = {mode}
ignore_startup_parameters = options
"""


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Return a function that starts PgBouncer in a mode, and gives the alias of the database behind it."""
    database = connection.settings_dict
    with socket.socket() as probe, ExitStack() as over:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()

        def start(mode: str) -> str:
            address = {"host": database["HOST"], "port": database["PORT"] or 5432}
            configuration = tmp_path / "pgbouncer.ini"
            configuration.write_text(CONFIGURATION.format(**address, own=port, folder=tmp_path, mode=mode))
            (tmp_path / "users").write_text(f'"{database["USER"]}" "{database["PASSWORD"]}"\n')
            tmp_path.chmod(0o755)
            # It refuses to run as root.
            other = ["-u", "nobody"] if os.geteuid() == 0 else []
            process = subprocess.Popen([PGBOUNCER, "-q", *other, configuration], stderr=subprocess.DEVNULL)
            over.callback(process.wait, 10)
            over.callback(process.terminate)
            for _ in range(200):
                with socket.socket() as tried:
                    if tried.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            return over.enter_context(alias_of({**database, "HOST": "127.0.0.1", "PORT": str(port)}))

        yield start


def ids(alias: str) -> set[str]:
    return {message.id for message in run_checks(tags=["database"], databases=[alias])}


def test_a_pooler_that_hands_sessions_on_is_told(behind: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    alias = behind("transaction")

    assert shares_sessions(alias) is True
    assert "changesets.E010" in ids(alias)
    monkeypatch.setattr(health, "DEFAULT_DB_ALIAS", alias)
    part = health.look_at_parts("disk")["database"]
    assert part.ok is False
    assert "pool_mode = session" in part.message


def test_one_that_keeps_them_is_not(behind: Callable) -> None:
    alias = behind("session")

    assert shares_sessions(alias) is False
    assert connections[alias].is_usable()


def test_neither_is_none_at_all(db: None) -> None:
    assert shares_sessions() is False
    assert "changesets.E010" not in ids("default")
