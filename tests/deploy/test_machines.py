"""Two machines with folders of their own serve one console: one PostgreSQL by two names, one Redis, shared storages.

Both come to PostgreSQL through PgBouncer, as deploy/pgbouncer.ini sets it up.
"""

import gzip
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.deploy.machine import ROOT, SERVER
from tests.deploy.machines import ConsoleMachine, Person, make_certificate
from tests.deploy.test_deploying import UPLOAD, part_of_the_snapshot
from tests.servers import at, drop_database, folder_for_postgres, pgbouncer, redis_server, wait_until

DATABASE = "travelmathlite_machines"
FIELDS = {"source": "snapshot", "on_local_edit": "keep", "missing": "report", "missing_limit": "1", "resource": "0"}
# What the page of backups does first.
TAKE_TURN = """
from apps.backups import work
from apps.backups.errors import WorkRefused
from apps.changesets.processes.progress import board, entry
mine = work._save(work.Work(work._here(), work.CREATE, 1, "ana", 0, host=work._here()))
try:
    turn = work._take_turn(mine)
    board().set(entry("backups", "turn"), mine.id)
    print("begun")
except WorkRefused as refusal:
    print(refusal)
"""
pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not os.environ.get("REQUIRE_DEPLOY"), reason="takes half a minute: the lane deploy runs it"),
]


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ConsoleMachine, ConsoleMachine]]:
    """Machine A, which serves, and machine B, which serves and works."""
    assert shutil.which("redis-server"), "install redis-server"
    folder = tmp_path_factory.mktemp("machines")
    drop_database(SERVER, DATABASE)
    with psycopg.connect(SERVER, dbname="postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {DATABASE}")
    printed = (ROOT / "deploy" / "pgbouncer.ini").read_text(encoding="utf-8")
    with redis_server(folder) as cache, folder_for_postgres() as own, pgbouncer(own, SERVER, printed) as pooler:
        shared = {"share": folder / "shared", "certificate": make_certificate(folder), "cache": cache}
        a = ConsoleMachine(folder / "a", at(pooler, DATABASE), **shared)
        b = ConsoleMachine(folder / "b", at(pooler, DATABASE, host="localhost"), **shared)
        assert a.environment["DATABASE_URL"] != b.environment["DATABASE_URL"]
        try:
            a.manage("migrate", "--verbosity", "0")
            a.manage("createsuperuser", "--noinput", "--username", "ana", "--email", "ana@example.com")
            a.serve()
            b.serve()
            b.work()
            yield a, b
        finally:
            a.stop()
            b.stop()
            drop_database(SERVER, DATABASE)


@pytest.fixture
def people(machines: tuple[ConsoleMachine, ConsoleMachine]) -> tuple[Person, Person]:
    """Ana's browser at A, and the same session at B."""
    a, b = machines
    ana = a.ana()
    return ana, Person("console.example.com", b.port, b.certificate).take(ana)


def upload(person: Person, name: str, content: bytes) -> str:
    """Upload a file, and return the address of its run."""
    answer, page = person.send(UPLOAD, {**FIELDS, "links": "country", "reason": "a test"}, file=(name, content))
    assert "/admin/imports/importrun/" in answer.url, page[-3000:]
    return re.search(r"/admin/imports/importrun/\d+/", answer.url)[0]


def wait_for(person: Person, run: str, status: str) -> None:
    wait_until(lambda: person.progress(run)["status"] == status, f"{run} is not {status}: {person.progress(run)}")


def rows_of(machine: ConsoleMachine) -> int:
    return json.loads(machine.manage("validate_airports", "--json"))["airports"]


def test_a_run_of_a_is_worked_on_by_b_seen_on_both_and_cancelled_from_a(machines, people):
    here, there = people
    with gzip.open(ROOT / "data" / "ourairports-2022-10-11.csv.gz") as whole:
        run = upload(here, "airports.csv", whole.read())

    for person in (here, there):
        wait_until(lambda person=person: "rows" in person.progress(run)["numbers"], machines[1].log("worker"))
    answer, _page = here.send(f"{run}cancel/", {}, form=run)

    assert answer.status == 200
    wait_for(there, run, "cancelled")
    wait_for(here, run, "cancelled")
    assert rows_of(machines[0]) == 0


def test_another_is_uploaded_on_a_planned_by_b_applied_and_reverted_from_b(machines, people):
    a, b = machines
    here, there = people
    run = upload(here, "airports.csv", part_of_the_snapshot(400))
    wait_for(here, run, "planned")
    assert not (a.folder / "var" / "imports").exists(), "the file is in the shared storage"
    b.stop("worker")
    a.work()

    there.confirm(f"{run}change/", f"{run}confirm/")
    wait_for(there, run, "applied")

    assert rows_of(b) == 400
    made = here.progress(run)["next"]
    revert = made.replace("/change/", "/revert/")
    there.confirm(revert, revert)
    assert rows_of(a) == 0
    for machine in machines:
        assert "0 that differ" in machine.manage("audit_history")


def test_what_one_machine_backs_up_the_other_one_proves_and_restores(machines):
    a, b = machines
    a.manage("import_airports", "--file", str(_file_of(a, 20)), "--skip-country-link", "--skip-city-link")
    whole = json.loads(a.manage("backup", "create", "--json"))
    one = json.loads(a.manage("backup", "create", "--kind", "object", "--model", "airport", "--pk", "00A", "--json"))

    assert [backup["id"] for backup in json.loads(b.manage("backup", "list", "--json"))] == [whole["id"]]
    assert json.loads(b.manage("backup", "verify", whole["id"], "--json"))["verified"]
    shared = Path(a.environment["MACHINES_SHARE"]) / "object_backups"
    assert [file.name for file in shared.iterdir()] == [f"{one['id']}.json"]
    b.manage("backup", "restore", whole["id"], "--yes")
    assert rows_of(a) == 20


def _file_of(machine: ConsoleMachine, rows: int) -> Path:
    file = machine.folder / f"{rows}.csv"
    file.write_bytes(part_of_the_snapshot(rows))
    return file


def test_only_one_machine_makes_a_backup_at_a_time(machines):
    told = [machine.manage("shell", "-v0", "-c", TAKE_TURN).strip() for machine in machines]

    assert told[0] == "begun"
    assert told[1].startswith("ana started something else (create)")
