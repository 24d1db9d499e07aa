"""The recipe of docs/scale.md for an archive of the log, tried with what PostgreSQL has itself: back to any moment."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from tests.deploy.machines import ConsoleMachine
from tests.deploy.test_deploying import part_of_the_snapshot
from tests.servers import Cluster, folder_for_postgres, wait_until

DATABASE = "console"
A_NEW_NAME = "from apps.changesets.identity import set_identity; set_identity('')"
pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not os.environ.get("REQUIRE_DEPLOY"), reason="takes half a minute: the lane deploy runs it"),
]


def test_a_base_backup_and_the_archived_log_lead_to_the_moment_before_a_mishap(tmp_path: Path):
    with folder_for_postgres() as folder:
        archive = folder / "archive"
        archive.mkdir()
        shutil.chown(archive, "postgres")
        primary = Cluster.make(folder / "primary", "archive_mode = on", f"archive_command = 'cp %p {archive}/%f'")
        restored = None
        try:
            primary.ask(f"CREATE DATABASE {DATABASE}")
            console = machine(tmp_path / "console", primary)
            console.manage("migrate", "--verbosity", "0")
            import_rows(console, 20)
            restored = primary.copy(folder / "restored")
            import_rows(console, 40)
            moment = primary.ask("SELECT clock_timestamp()::text")
            time.sleep(0.1)
            late = json.loads(console.manage("backup", "create", "--json"))
            primary.ask("DELETE FROM airports_airport", DATABASE)
            archive_all(primary)
            primary.stop("immediate")

            recover(restored, archive, moment)

            there = machine(tmp_path / "there", restored, BACKUP_DIR=console.environment["BACKUP_DIR"])
            assert rows_of(there) == 40
            assert "0 that differ" in there.manage("audit_history")
            there.manage("shell", "-v0", "-c", A_NEW_NAME)
            assert json.loads(there.manage("backup", "list", "--json")) == [], "of a time that this database never saw"
            others = json.loads(there.manage("backup", "list", "--all", "--json"))
            assert late["id"] in {other["id"] for other in others}
            import_rows(there, 60)
            assert rows_of(there) == 60
        finally:
            primary.stop("immediate")
            if restored is not None:
                restored.stop("immediate")


def machine(folder: Path, cluster: Cluster, **more: str) -> ConsoleMachine:
    """Return a console on the database of a cluster, which serves nobody."""
    return ConsoleMachine(folder, cluster.url(DATABASE), share=folder / "shared", certificate=folder, cache="", **more)


def import_rows(console: ConsoleMachine, rows: int) -> None:
    file = console.folder / "airports.csv"
    file.write_bytes(part_of_the_snapshot(rows))
    console.manage("import_airports", "--file", str(file), "--skip-country-link", "--skip-city-link")


def rows_of(console: ConsoleMachine) -> int:
    return json.loads(console.manage("validate_airports", "--json"))["airports"]


def archive_all(cluster: Cluster) -> None:
    """Have all of the log archived that there is."""
    last = cluster.ask("SELECT pg_walfile_name(pg_switch_wal())")
    done = f"SELECT coalesce(last_archived_wal, '') >= '{last}' FROM pg_stat_archiver"
    wait_until(lambda: cluster.ask(done), "the log is not archived")


def recover(cluster: Cluster, archive: Path, moment: object) -> None:
    """Replay the archived log on a base backup up to a moment, and open it for writing."""
    cluster.configure(
        "archive_mode = off",
        f"restore_command = 'cp {archive}/%f %p'",
        f"recovery_target_time = '{moment}'",
        "recovery_target_action = promote",
    )
    (cluster.folder / "recovery.signal").touch()
    cluster.start()
    wait_until(lambda: not cluster.ask("SELECT pg_is_in_recovery()"), "it is still recovering")
