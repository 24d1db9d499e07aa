"""An installation goes through two releases that change its columns, and nothing is lost or done twice."""

import sys
from pathlib import Path

import pytest

from tests.trees import copy_tree, database, replace, run  # noqa: F401

OPENED = "    opened = models.DateField(null=True, blank=True)\n"
COLUMN_OPENED = '        Column("opened"),\n'
SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.settings"}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the tree, in which more than no row needs a second person."""
    copy = copy_tree(tmp_path)
    with (copy / "tests" / "settings.py").open("a", encoding="utf-8") as file:
        file.write("IMPORTS_SECOND_PERSON_ABOVE = 0\n")
    return copy


def rename_add_drop_and_constrain(tree: Path) -> None:
    """Write the second release: `platforms` is called `tracks`, `zone` is new, `opened` is gone, a rule is new."""
    domain = tree / "tests" / "second_domain"
    replace(domain / "columns.py", 'Column("platforms")', 'Column("tracks", "platforms")')
    replace(domain / "columns.py", COLUMN_OPENED, "")
    replace(domain / "quality_rules.py", "platforms=None", "tracks=None")
    models = domain / "models.py"
    replace(models, "    platforms = ", '    zone = models.CharField(max_length=9, default="inner")\n    tracks = ')
    replace(models, OPENED, "")
    rule = 'models.CheckConstraint(condition=Q(tracks__lt=100), name="few_tracks")'
    replace(models, "        constraints = [\n", f"        constraints = [\n            {rule},\n")


def add_again(tree: Path) -> None:
    """Write the third release: `opened` is back."""
    domain = tree / "tests" / "second_domain"
    replace(domain / "models.py", "    zone = ", f"{OPENED}    zone = ")
    replace(domain / "columns.py", '        Column("tracks"', f'{COLUMN_OPENED}        Column("tracks"')


def change_rows(tree: Path) -> None:
    """Let the migration of the third release change a row, which is recorded as a changeset."""
    migration = tree / "tests" / "second_domain" / "migrations" / "0003_third.py"
    change = "migrations.RunSQL(\"UPDATE second_domain_station SET zone = 'outer' WHERE code = 'UL'\"),"
    text = migration.read_text(encoding="utf-8").rstrip()
    migration.write_text(f"{text[:-1]}    {change}\n    ]\n", encoding="utf-8")


def test_nothing_is_lost_or_done_twice(tree: Path, database: str, tmp_path: Path):  # noqa: F811
    folders = {name: str(tmp_path / name.lower()) for name in ("BACKUP_DIR", "VAR_DIR")}

    def python(*arguments: str, typed: str = "") -> str:
        return run([sys.executable, *arguments], tree, database, typed=typed, **SETTINGS, **folders)

    python("manage.py", "migrate", "-v0")
    python("-m", "tests.upgrading.before")

    rename_add_drop_and_constrain(tree)
    python("manage.py", "makemigrations", "second_domain", "--name", "second", typed="y\ny\n")
    second = python("manage.py", "migrate")
    add_again(tree)
    python("manage.py", "makemigrations", "second_domain", "--name", "third")
    change_rows(tree)
    third = python("manage.py", "migrate")

    gone = "1 pin of second_domain.station is of 'opened'"
    waiting = "was made by another version of the console, for other columns: plan it again"
    assert gone in second
    assert waiting in second
    assert gone not in third
    assert waiting in third
    python("-m", "tests.upgrading.after")
    # The last backup that was restored has the plan that waited then.
    assert waiting in python("manage.py", "check")
    python("manage.py", "audit_history")
