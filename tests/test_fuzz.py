"""The short form of `python -m tests.fuzz`: always the same trials, and as many of them on a busy machine."""

import os
import subprocess
import sys

from django.db import connection

from tests.console import ROOT


def test_bad_input_is_refused_and_changes_nothing():
    settings = connection.settings_dict
    url = "sqlite:"
    if connection.vendor == "postgresql":
        user = ":".join(filter(None, (settings["USER"], settings["PASSWORD"])))
        url = f"postgres://{user}@{settings['HOST']}:{settings['PORT'] or 5432}/{settings['NAME']}"
    command = [sys.executable, "-m", "tests.fuzz", "--seed", "14", "--trials", "120", "--database", url]

    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
