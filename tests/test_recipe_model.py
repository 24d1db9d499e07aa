"""The recipe "Add a model" is carried out, word for word, on a copy of the tree."""

import re
import shlex
import sys
from pathlib import Path

import pytest

from tests.trees import ROOT, copy_tree, database, replace, run  # noqa: F401

PROGRAMS = Path(sys.executable).parent
RECIPE = (ROOT / "docs" / "recipes" / "add-a-model.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`([\w/]+\.py)`:\n\n```python\n(.*?)^```", RECIPE, flags=re.DOTALL | re.MULTILINE))
SHELL = re.findall(r"^```bash\n(.*?)^```", RECIPE, flags=re.DOTALL | re.MULTILINE)
COMMANDS = [line for block in SHELL for line in block.splitlines()]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the tree in which the files of the recipe are written, and its two lines are added."""
    copy = copy_tree(tmp_path)
    for name, text in FILES.items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text(text, encoding="utf-8")
    for folder in ("apps/lighthouses", "tests/lighthouses"):
        (copy / folder / "__init__.py").touch()
    replace(
        copy / "travelmathlite" / "settings.py", '    "apps.base",\n', '    "apps.lighthouses",\n    "apps.base",\n'
    )
    replace(copy / "pyproject.toml", '    "apps.airports",\n', '    "apps.airports | apps.lighthouses",\n')
    return copy


def test_the_recipe_gives_three_files_and_a_test():
    assert list(FILES) == [
        *(f"apps/lighthouses/{name}.py" for name in ("models", "admin", "columns")),
        "tests/lighthouses/test_lighthouses.py",
    ]


@pytest.mark.once
def test_a_model_is_added_as_the_recipe_says(tree: Path, database: str):  # noqa: F811
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
