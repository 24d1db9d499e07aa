"""A process that is killed at any instant leaves the database as before or as after, never between."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PROBE = (
    "from apps.airports.models import Airport; from apps.base.models import City;"
    "from apps.changesets.audit import find_drift; from apps.changesets.models import Changeset;"
    "print(Airport.objects.count(), City.objects.count(), len(find_drift()[1]),"
    " Changeset.objects.filter(kind='import').count())"
)
BEFORE, AFTER = "0 0 0 0", "73623 34263 0 1"


@pytest.mark.parametrize("tenths", [8, 16, 22, 28], ids="after {} tenths of a second".format)
def test_an_import_killed_half_way_leaves_all_or_nothing(tmp_path: Path, tenths: int) -> None:
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'console.sqlite3'}"}

    def manage(*arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout

    manage("migrate", "--verbosity", "0")
    running = subprocess.Popen(
        [sys.executable, "manage.py", "import_airports", "--bundled"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    time.sleep(tenths / 10)
    running.send_signal(signal.SIGKILL)
    running.wait()

    found = manage("shell", "--verbosity", "0", "-c", PROBE).strip()
    assert found in (BEFORE, AFTER)
    if found == BEFORE:
        manage("import_airports", "--bundled")
        assert manage("shell", "--verbosity", "0", "-c", PROBE).strip() == AFTER
