"""A worker that is killed, or asked to stop, half way: nothing is written, and the run can be started again."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from tests.console import Console
from tests.imports.files import csv_text

ROOT = Path(__file__).resolve().parent.parent.parent
ROWS = 1_000
WORKER = ("db_worker", "--no-reload", "--interval", "0.1", "--no-startup-delay", "--batch")


class Working(Console):
    """A console with a database and folders of its own, and a worker that can be killed."""

    def __init__(self, folder: Path, url: str) -> None:
        self.url, self.worker = url, None
        super().__init__(
            {
                **os.environ,
                "DATABASE_URL": url,
                "DJANGO_SETTINGS_MODULE": "tests.imports.worker_settings",
                "WORKER_TEST_FOLDER": str(folder),
            }
        )

    def step(self, call: str) -> str:
        return self.manage(
            "shell", "--verbosity", "0", "-c", f"from tests.imports import worker_steps; worker_steps.{call}"
        )

    def work(self) -> None:
        """Let a worker do all that is to be done."""
        self.manage(*WORKER)

    def status(self) -> str:
        """Ask the database about the only run, past Django."""
        question = "SELECT status FROM imports_importrun"
        if self.url.startswith("sqlite"):
            with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"), timeout=30)) as database:
                return database.execute(question).fetchone()[0]
        with psycopg.connect(self.url) as database:
            return database.execute(question).fetchone()[0]

    def start_worker(self, *, until: str) -> subprocess.Popen:
        """Start a worker, and return it when it has planned, or written, and not said so yet: there it stays."""
        code = f"from tests.imports import worker_steps; worker_steps.work_until({until!r})"
        self.worker = subprocess.Popen(
            [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", code],
            cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert self.worker.stdout.readline() == f"{until}\n"
        return self.worker

    def end_worker(self, number: int) -> int | None:
        """Send the worker a signal, unless there is none any more, and return its exit status once it has ended."""
        if self.worker is None or self.worker.returncode is not None:
            return None
        self.worker.send_signal(number)
        self.worker.communicate(timeout=60)
        return self.worker.returncode

    def wait_for(self, status: str) -> None:
        deadline = time.monotonic() + 60
        while self.status() != status and time.monotonic() < deadline:
            time.sleep(0.1)
        assert self.status() == status


@pytest.fixture
def console(tmp_path: Path, request: pytest.FixtureRequest, django_db_setup: None) -> Iterator[Working]:
    url, server = f"sqlite:///{tmp_path / 'console.sqlite3'}", connection.settings_dict
    if connection.vendor == "postgresql":
        name = f"{server['NAME'].removeprefix('test_')}_worker"
        url = f"postgres://{server['USER']}:{server['PASSWORD']}@{server['HOST']}:{server['PORT']}/{name}"
        admin = psycopg.connect(url.removesuffix(name) + "postgres", autocommit=True)
        admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        # A copy of what is migrated already; nobody may be connected to it meanwhile.
        connection.close()
        connection.close_pool()
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{server["NAME"]}"')
    else:
        shutil.copy(request.getfixturevalue("migrated_file"), tmp_path)
    path = tmp_path / "airports.csv"
    path.write_text(csv_text(*[{"ident": f"X{number:05}", "iata_code": ""} for number in range(ROWS)]))
    with Working(tmp_path, url) as made:
        made.step(f"upload({str(path)!r})")
        yield made
        made.end_worker(signal.SIGKILL)
    if connection.vendor == "postgresql":
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        admin.close()


def test_a_run_whose_worker_was_killed_fails_writes_nothing_and_works_when_started_again(console: Working):
    for busy in ("planning", "running"):
        if busy == "running":
            console.step("confirm()")
        console.start_worker(until=busy)
        assert console.status() == busy
        console.end_worker(signal.SIGKILL)
        assert console.status() == busy

        status, lock, airports, changesets, error = console.step("tell()").split("|")

        assert (status, lock, airports, changesets) == ("failed", "None", "0", "0")
        assert error.startswith("The worker stopped unexpectedly: its last sign of life was at ")
        console.step("again()")
        console.work()
        assert console.step("tell()").startswith("planned|None|0|0|")

    console.step("confirm()")
    console.work()
    assert console.step("tell()") == f"applied|None|{ROWS}|1|"


def test_a_worker_that_is_asked_to_stop_while_it_writes_writes_nothing_and_lives_on(console: Working):
    console.work()
    console.step("confirm()")
    worker = console.start_worker(until="running")

    console.step("cancel()")

    console.wait_for("cancelled")
    assert worker.poll() is None
    assert console.step("tell()") == "cancelled|None|0|0|"
    assert console.end_worker(signal.SIGTERM) == 0
