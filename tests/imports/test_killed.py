"""A process that is killed at any instant leaves the database as before or as after, never between."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console import Console

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent.parent
PROBE = (
    "from apps.airports.models import Airport; from apps.base.models import City;"
    "from apps.changesets.recording.audit import find_drift; from apps.changesets.models import Changeset;"
    "print(Airport.objects.count(), City.objects.count(), len(find_drift()[1]),"
    " Changeset.objects.filter(kind='import').count())"
)
BEFORE, AFTER = "0 0 0 0", "73623 34263 0 1"
# What comes after a killed import need not be all of it.
THEN = (
    "from django.core.management import call_command; call_command('import_airports', '--bundled', '--limit', '5000');"
)


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A console whose database each test puts in its place."""
    file = tmp_path_factory.mktemp("killed") / "console.sqlite3"
    with Console({**os.environ, "DATABASE_URL": f"sqlite:///{file}"}) as opened:
        yield opened


@pytest.mark.parametrize("tenths", [8, 16, 22, 28], ids="after {} tenths of a second".format)
def test_an_import_killed_half_way_leaves_all_or_nothing(console: Console, migrated_file: Path, tenths: int) -> None:
    file = Path(console.environment["DATABASE_URL"].removeprefix("sqlite:///"))
    for before in file.parent.glob(f"{file.name}*"):
        before.unlink()
    shutil.copy(migrated_file, file)

    running = subprocess.Popen(
        [sys.executable, "manage.py", "import_airports", "--bundled"],
        cwd=ROOT,
        env=console.environment,
        stdout=subprocess.DEVNULL,
    )
    time.sleep(tenths / 10)
    running.send_signal(signal.SIGKILL)
    running.wait()

    found = console.manage("shell", "--verbosity", "0", "-c", PROBE).strip()
    assert found in (BEFORE, AFTER)
    if found == BEFORE:
        again = console.manage("shell", "--verbosity", "0", "-c", THEN + PROBE)
        airports, _cities, drift, imports = again.splitlines()[-1].split()
        assert (airports, drift, imports) == ("5000", "0", "1")
