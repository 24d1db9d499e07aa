"""manage.py itself: what commands that are not ours end in, and readers that go."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once
ROOT = Path(__file__).resolve().parent.parent


def manage(database: Path, arguments: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py in a shell, so that pipes can be tried, with a SQLite file as its database."""
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{database}"}
    command = f"set -o pipefail; {sys.executable} manage.py {arguments}"
    return subprocess.run(["bash", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("command", ["audit_history --json", "showmigrations"])
def test_a_file_that_is_no_database_is_one_line_on_stderr(command: str, tmp_path: Path) -> None:
    (tmp_path / "photo.sqlite3").write_bytes(b"JFIF" * 5000)

    done = manage(tmp_path / "photo.sqlite3", command)

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "is no database: nothing was changed. Check DATABASE_URL" in done.stderr


def test_a_database_without_tables_is_one_line_that_names_migrate(tmp_path: Path) -> None:
    done = manage(tmp_path / "new.sqlite3", "audit_history")

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "Run `python manage.py migrate`." in done.stderr


def test_a_reader_that_goes_ends_a_command_quietly(migrated_file: Path) -> None:
    done = manage(migrated_file, "help | true")

    assert (done.returncode, done.stderr) == (0, "")
