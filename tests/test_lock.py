"""What runs is what requirements.lock says."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent
LOCKED = [
    Requirement(line.removesuffix("\\"))
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    if not line.startswith(" ")
]


def test_each_installed_version_is_the_locked_one():
    here = [locked for locked in LOCKED if not locked.marker or locked.marker.evaluate()]

    assert len(here) > 30
    assert not [
        f"{locked}, but {version(locked.name)} is installed"
        for locked in here
        if not locked.specifier.contains(version(locked.name))
    ]


def test_pyproject_holds_uv_to_the_lock():
    result = subprocess.run([sys.executable, ROOT / ".ci" / "lock.py", "--check"], capture_output=True, text=True)

    assert result.returncode == 0, result.stderr
