"""The name under which processes share what is about a database: the same by every way to it, another for a copy."""

import shutil
from pathlib import Path

import pytest
from django.db import connection, connections, transaction

from apps.backups.aliases import alias_of, sqlite_file
from apps.changesets.history.cache import state_of_tables
from apps.changesets.identity import place_of, shared_name
from apps.changesets.processes.progress import entry

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_ways_to_one_database_have_one_name_and_share_figures(tmp_path: Path):
    its = connection.settings_dict
    other = {"HOST": "localhost"} if connection.vendor == "postgresql" else {"NAME": _by_link(its["NAME"], tmp_path)}

    with alias_of({**its, **other}) as alias:
        assert place_of(alias) != place_of()
        assert shared_name(alias) == shared_name()
        assert state_of_tables(using=alias) == state_of_tables()


def _by_link(file: str, folder: Path) -> str:
    (folder / "link").symlink_to(Path(file).parent)
    return str(folder / "link" / Path(file).name)


def test_a_copy_has_a_name_of_its_own(migrated_file: Path, tmp_path: Path):
    names = set()
    for copy in ("one.sqlite3", "two.sqlite3"):
        with sqlite_file(Path(shutil.copy(migrated_file, tmp_path / copy))) as alias:
            names.add(shared_name(alias))

    assert len(names) == 2


def test_progress_has_a_key_of_this_database_whatever_its_address_and_without_it():
    key = entry(7, "progress")
    assert key.endswith("-7-progress")
    with transaction.atomic(), connection.execute_wrapper(_refuse):
        assert entry(7, "progress") == key, "a process asks once"


def _refuse(execute, sql, params, many, context):
    raise AssertionError(sql)


def test_a_database_without_a_name_goes_by_its_place(tmp_path: Path):
    with sqlite_file(tmp_path / "empty.sqlite3") as alias:
        assert str(connections[alias].settings_dict["NAME"]) in shared_name(alias)
