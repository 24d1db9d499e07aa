"""Schema changes of the second domain, by migrations that a test makes; afterwards the tables are as they were."""

import sys
from collections.abc import Callable, Iterator
from importlib import invalidate_caches
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import call_command

APP = "second_domain"
INITIAL = "0001_initial"
_FILE = """
from django.db import migrations, models
from django.db.models import Q
from apps.changesets.recording.renaming import RenameKeptField

class Migration(migrations.Migration):
    dependencies = [("second_domain", "{before}")]
    operations = [{operations}]
"""
_FIRST = f"""
from importlib import import_module

Migration = import_module("tests.{APP}.migrations.{INITIAL}").Migration
"""
Migrated = Callable[[str], None]


def rename(old: str, new: str, *, kept: bool = True) -> str:
    """Return the operations that rename a field of stations, as makemigrations writes them, or as Django does."""
    operation = "RenameKeptField" if kept else "migrations.RenameField"
    return f'{operation}("station", "{old}", "{new}"), migrations.RenameField("historicalstation", "{old}", "{new}")'


def both(operation: str) -> str:
    """Return an operation on stations (`{model}`), and the same one on their history."""
    return ", ".join(operation.replace("{model}", f'"{model}"') for model in ("station", "historicalstation"))


@pytest.fixture
def schemas(transactional_db: None, settings: object, tmp_path: Path) -> Iterator[Callable[..., Migrated]]:
    """Return a function that takes the operations of migrations and returns `migrate`, to one of them by number."""
    package = f"migrations_{uuid4().hex}"
    names = [INITIAL]

    def make(*steps: str) -> Migrated:
        folder = tmp_path / package
        folder.mkdir()
        (folder / "__init__.py").touch()
        (folder / f"{INITIAL}.py").write_text(_FIRST)
        for number, operations in enumerate(steps, start=2):
            name = f"{number:04}_step"
            (folder / f"{name}.py").write_text(_FILE.format(before=names[-1], operations=operations))
            names.append(name)
        sys.path.insert(0, str(tmp_path))
        invalidate_caches()
        settings.MIGRATION_MODULES = {APP: package}  # type: ignore[attr-defined]
        return lambda number: call_command("migrate", APP, f"{number}", interactive=False)

    yield make
    if len(names) > 1:
        call_command("migrate", APP, INITIAL, verbosity=0, interactive=False)
        sys.path.remove(str(tmp_path))
