"""The recipe "Add a model" is carried out, word for word, on a copy of the tree."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(sys.executable).parent
RECIPE = (ROOT / "docs" / "recipes" / "add-a-model.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`([\w/]+\.py)`:\n\n```python\n(.*?)^```", RECIPE, flags=re.DOTALL | re.MULTILINE))
SHELL = re.findall(r"^```bash\n(.*?)^```", RECIPE, flags=re.DOTALL | re.MULTILINE)
COMMANDS = [line for block in SHELL for line in block.splitlines()]
# What is made in the tree and belongs to no copy.
NOT_COPIED = (".git", ".venv", "var", "backups", "staticfiles", "docs/screenshots", ".mypy_cache", ".ruff_cache")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    """The address of an empty database of the kind that the tests run on."""
    address = os.environ.get("DATABASE_URL", "")
    if not address.startswith("postgres"):
        yield f"sqlite:///{tmp_path}/recipe.sqlite3"
        return
    parts = urlsplit(address)
    name = f"{parts.path[1:]}_recipe"
    with closing(psycopg.connect(parts._replace(path="/postgres").geturl(), autocommit=True)) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}"')
        server.execute(f'CREATE DATABASE "{name}"')
        yield parts._replace(path=f"/{name}").geturl()
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the tree in which the files of the recipe are written, and its two lines are added."""
    copy = shutil.copytree(ROOT, tmp_path / "tree", ignore=_left_out)
    for name, text in FILES.items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text(text, encoding="utf-8")
    for folder in ("apps/lighthouses", "tests/lighthouses"):
        (copy / folder / "__init__.py").touch()
    _put_before(copy / "travelmathlite" / "settings.py", '    "apps.base",\n', '    "apps.lighthouses",\n')
    _replace(copy / "pyproject.toml", '    "apps.airports",\n', '    "apps.airports | apps.lighthouses",\n')
    return copy


def _left_out(folder: str, names: list[str]) -> set[str]:
    """Return the names in a folder that are not copied."""
    below = Path(folder).relative_to(ROOT)
    return {name for name in names if (below / name).as_posix() in NOT_COPIED or name == "__pycache__"}


def _put_before(file: Path, line: str, new: str) -> None:
    _replace(file, line, new + line)


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{file.name} has no single line {old!r}"
    file.write_text(text.replace(old, new), encoding="utf-8")


def run(command: list[str], tree: Path, database: str) -> str:
    """Run a command in the copy with its own database; return what it printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "PYTEST_"))}
    done = subprocess.run(
        command, cwd=tree, env={**kept, "DATABASE_URL": database}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_recipe_gives_three_files_and_a_test():
    assert list(FILES) == [
        *(f"apps/lighthouses/{name}.py" for name in ("models", "admin", "columns")),
        "tests/lighthouses/test_lighthouses.py",
    ]


@pytest.mark.once
def test_a_model_is_added_as_the_recipe_says(tree: Path, database: str):
    printed = ""
    for command in COMMANDS:
        words = shlex.split(command.removeprefix("uv run "))
        program = (
            [sys.executable] if words[0] == "python" else [sys.executable, "-m", words[0], "-p", "no:cacheprovider"]
        )
        printed += run([*program, *words[1:]], tree, database)

    migration = (tree / "apps" / "lighthouses" / "migrations" / "0001_initial.py").read_text(encoding="utf-8")
    assert "CreateKeptModel" in migration
    assert "3 passed" in printed
    assert "System check identified no issues" in printed
    run([sys.executable, "manage.py", "makemigrations", "--check"], tree, database)
    run([f"{PROGRAMS}/ruff", "check", *FILES], tree, database)
    run([f"{PROGRAMS}/ruff", "format", "--check", *FILES], tree, database)
    run([f"{PROGRAMS}/lint-imports"], tree, database)
