"""A copy of the tree that a test changes, and an empty database beside it, of the kind that the tests run on."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

ROOT = Path(__file__).resolve().parent.parent
# What is made in the tree and belongs to no copy.
NOT_COPIED = (".git", ".venv", "var", "backups", "staticfiles", "docs/screenshots", ".mypy_cache", ".ruff_cache")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    """The address of an empty database of the kind that the tests run on."""
    address = os.environ.get("DATABASE_URL", "")
    if not address.startswith("postgres"):
        yield f"sqlite:///{tmp_path}/copy.sqlite3"
        return
    parts = urlsplit(address)
    name = f"{parts.path[1:]}_copy"
    with closing(psycopg.connect(parts._replace(path="/postgres").geturl(), autocommit=True)) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}"')
        server.execute(f'CREATE DATABASE "{name}"')
        yield parts._replace(path=f"/{name}").geturl()
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def copy_tree(folder: Path) -> Path:
    """Return a copy of the tree in the folder."""
    return shutil.copytree(ROOT, folder / "tree", ignore=_left_out)


def _left_out(folder: str, names: list[str]) -> set[str]:
    """Return the names in a folder that are not copied."""
    below = Path(folder).relative_to(ROOT)
    return {name for name in names if (below / name).as_posix() in NOT_COPIED or name == "__pycache__"}


def replace(file: Path, old: str, new: str) -> None:
    """Put a text in the place of another one, which the file has once."""
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{file.name} has no single line {old!r}"
    file.write_text(text.replace(old, new), encoding="utf-8")


def run(command: list[str], tree: Path, database: str, *, typed: str = "", **environment: str) -> str:
    """Run a command in the copy with its own database; return what it printed to both outputs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "PYTEST_"))}
    done = subprocess.run(
        command,
        cwd=tree,
        env={**kept, **environment, "DATABASE_URL": database},
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr
