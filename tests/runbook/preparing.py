"""What has gone wrong before a story begins."""

import csv
import json
import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from apps.airports.columns import OURAIRPORTS
from apps.airports.models import Airport
from apps.base.models import Country
from apps.changesets.context import changeset
from apps.changesets.recording import install_recording
from apps.imports.models import ImportRun
from apps.imports.reading.sources import from_path
from apps.imports.results import ImportOptions
from apps.imports.runs.lease import last_heard_of
from apps.imports.runs.opening import open_run
from tests.runbook.running import Runner
from tests.runbook.worlds import ROOT, url_of

NOW = "2026-11-24T10:00:00Z"
PREPARATIONS: dict[str, Callable[[Runner], None]] = {}


def preparation(function: Callable[[Runner], None]) -> Callable[[Runner], None]:
    """Let the document name this function."""
    PREPARATIONS[function.__name__] = function
    return function


def prepare(name: str, runner: Runner) -> None:
    """Do what the document names, if anything."""
    if name:
        PREPARATIONS[name](runner)


@preparation
def proven(runner: Runner) -> None:
    """There is a backup, and it was proved to restore."""
    assert runner.manage("backup create")[0] == runner.manage("backup verify --latest")[0] == 0


@preparation
def flushed(runner: Runner) -> None:
    """Somebody has emptied all tables."""
    assert runner.manage("flush --noinput")[0] == 0


@preparation
def oops(runner: Runner) -> None:
    """There is a full backup, an import, an increment, and then somebody has given all airports one name."""
    assert runner.manage("backup create")[0] == 0
    assert runner.manage("import_airports --file newer.csv")[0] == 0
    assert runner.manage("backup create --kind incremental")[0] == 0
    assert Airport.objects.update(name="oops") == 100


@preparation
def all_deleted(runner: Runner) -> None:
    """Somebody has deleted all airports."""
    assert Airport.objects.all().delete()[0] == 100


@preparation
def china_deleted(runner: Runner) -> None:
    """Somebody has deleted the airports of China."""
    assert Airport.objects.filter(iso_country="CN").delete()[0] == 2


@preparation
def bad_file(runner: Runner) -> None:
    """An update has failed over a file with a good row, and one whose latitude is none."""
    lines = (runner.folder / "airports.csv").read_text(encoding="utf-8").splitlines()
    bad = lines[2].replace(_latitude(lines[2]), "471")
    (runner.folder / "half.csv").write_text("\n".join([*lines[:2], bad]) + "\n")
    assert runner.manage("update_airports --file half.csv --no-backup")[0] == 1


def _latitude(line: str) -> str:
    return next(csv.reader([line]))[4]


@preparation
def bad_links(runner: Runner) -> None:
    """Somebody has linked all airports of Switzerland to China."""
    with changeset(kind="bulk_action", actor=None, reason="a mistake"):
        Airport.objects.filter(iso_country="CH").update(country=Country.objects.get(iso_code="CN"))


@preparation
def missing_links(runner: Runner) -> None:
    """Somebody has cleared all links."""
    with changeset(kind="bulk_action", actor=None, reason="a mistake"):
        Airport.objects.update(country=None, city=None)


@preparation
def bad_rows(runner: Runner) -> None:
    """Somebody has moved two airports off the map."""
    with changeset(kind="bulk_action", actor=None, reason="a mistake"):
        Airport.objects.filter(ident__in=["LSZH", "KBOS"]).update(latitude_deg=471.5)


@preparation
def waiting(runner: Runner) -> None:
    """Somebody has uploaded a file, and nobody has confirmed it yet."""
    open_run(
        from_path(runner.folder / "airports.csv"),
        spec=OURAIRPORTS,
        options=ImportOptions(),
        actor=None,
        reason="a test",
    )


@preparation
def stuck(runner: Runner) -> None:
    """An update reads a file that never comes."""
    os.mkfifo(runner.folder / "never.csv")
    update = runner.start("update_airports", "--file", "never.csv", "--no-backup")
    _until(lambda: ImportRun.objects.filter(lock__isnull=False).exists())
    runner.stands_for["PID"] = str(update.pid)


@preparation
def lease_ends(runner: Runner) -> None:
    """Half a minute has passed; here it is three seconds."""
    runner.processes[0].wait()
    _until(lambda: time.time() - last_heard_of(ImportRun.objects.latest("pk")) > settings.IMPORTS_LEASE_SECONDS)


@preparation
def blocked(runner: Runner) -> None:
    """Somebody has locked the airports and gone for lunch, and an update waits for that."""
    lunch = psycopg.connect(url_of(runner.database))
    lunch.execute("LOCK TABLE airports_airport")
    runner.stands_for["PID"] = str(lunch.info.backend_pid)
    runner.at_the_end.append(lunch.close)
    runner.start("update_airports", "--file", "airports.csv", "--no-backup")
    _until(lambda: _asked("SELECT count(*) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0"))


@preparation
def update_ends(runner: Runner) -> None:
    """The update that waited is over."""
    assert runner.processes[0].wait(timeout=60) == 0


@preparation
def no_automatic_backups(runner: Runner) -> None:
    """Nothing is backed up by itself."""
    settings.BACKUPS_AUTOMATIC = False  # Until the story ends: its settings are overridden.


@preparation
def conflict(runner: Runner) -> None:
    """Two people have each made a migration of base after the same one."""
    for name in ("manage.py", "data"):
        (runner.folder / name).unlink()
    for name in (
        "manage.py",
        "apps",
        "static",
        "travelmathlite",
        "tests/runbook",
        "tests/second_domain",
        "tests/settings.py",
    ):
        source, target = ROOT / name, runner.folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    (runner.folder / "tests" / "__init__.py").touch()
    migrations = runner.folder / "apps" / "base" / "migrations"
    newest = sorted(migrations.glob("0*.py"))[-1].stem
    for name in ("9001_of_one", "9001_of_another"):
        (migrations / f"{name}.py").write_text(
            f"from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
            f'    dependencies = [("base", "{newest}")]\n'
        )
    runner.in_process = False


@preparation
def damaged(runner: Runner) -> None:
    """A disk has written nonsense over three pages in the middle of the table of airports."""
    if shutil.which("sqlite3") is None:
        pytest.skip("no sqlite3 on this machine: install Debian's package sqlite3")
    connection.close()
    file = runner.folder / "db.sqlite3"
    question = "SELECT pageno FROM dbstat WHERE name = 'airports_airport' AND pagetype = 'leaf' ORDER BY 1"
    asked = subprocess.run(["sqlite3", file, question], capture_output=True, text=True, check=True)
    with file.open("r+b") as stream:
        for page in asked.stdout.split()[4:7]:
            stream.seek((int(page) - 1) * 4096)
            stream.write(random.Random(4).randbytes(4096))


@preparation
def other_keys(runner: Runner) -> None:
    """Somebody sends a fixture of countries that have other keys in their database."""
    rows = [
        {"model": "base.country", "pk": each["id"] + 100, "fields": {**each, "created_at": NOW, "updated_at": NOW}}
        for each in Country.objects.values("id", "iso_code", "iso3", "name", "search_name", "slug", "active")
    ]
    for row in rows:
        del row["fields"]["id"]
    (runner.folder / "other.json").write_text(json.dumps(rows))


@preparation
def next_release(runner: Runner) -> None:
    """The next release has migrated the tables, and the code that runs is still the old one."""
    with connection.cursor() as cursor:
        for table in ("airports_airport", "airports_historicalairport"):
            cursor.execute(f"ALTER TABLE {table} ADD COLUMN runways integer")
    install_recording()


def _asked(question: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchone()[0]


def _until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "it never happens"
        time.sleep(0.05)
