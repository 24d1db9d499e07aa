"""A process that is killed at any instant leaves the database as before or as after, never between."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent.parent
PROBE = (
    "from apps.airports.models import Airport; from apps.base.models import City;"
    "from apps.changesets.audit import find_drift; from apps.changesets.models import Changeset;"
    "print(Airport.objects.count(), City.objects.count(), len(find_drift()[1]),"
    " Changeset.objects.filter(kind='import').count())"
)
IMPORT = "from django.core.management import call_command; call_command('import_airports', '--bundled');"
BEFORE, AFTER = "0 0 0 0", "73623 34263 0 1"


@pytest.mark.parametrize("tenths", [8, 16, 22, 28], ids="after {} tenths of a second".format)
def test_an_import_killed_half_way_leaves_all_or_nothing(tmp_path: Path, migrated_file: Path, tenths: int) -> None:
    file = shutil.copy(migrated_file, tmp_path)
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{file}"}

    def manage(*arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout

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
        again = manage("shell", "--verbosity", "0", "-c", IMPORT + PROBE)
        assert again.splitlines()[-1] == AFTER
