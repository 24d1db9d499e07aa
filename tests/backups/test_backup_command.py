"""The command backup: what it prints, what it asks, and how it ends."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.backups.catalogue.manifests import Backup, amend, list_backups
from apps.backups.creating import create_backup
from apps.base.models import Country

on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="it is the same on both")
KEYS = {"id", "path", "sha256", "size_bytes", "rows", "verified"}


@pytest.fixture
def country(transactional_db: None, folder: Path) -> Country:
    """Switzerland, in the database of the command."""
    return Country.objects.create(iso_code="CH", name="Switzerland")


@pytest.fixture
def backup(country: Country) -> Backup:
    """A backup from before Switzerland was renamed."""
    made = create_backup(actor=None, reason="")
    Country.objects.update(name="Schweiz")
    return made


def run(capsys: pytest.CaptureFixture, *arguments: str) -> Any:
    """Run the command with --json and return what it printed."""
    call_command("backup", *arguments, "--json")
    return json.loads(capsys.readouterr().out)


def answer(monkeypatch, typed: str) -> None:
    monkeypatch.setattr("builtins.input", lambda prompt: typed)


def test_each_subcommand_tells_the_same_of_a_backup(country: Country, capsys) -> None:
    made = run(capsys, "create", "--label", "before the weekend")
    (listed,) = run(capsys, "list")
    proved = run(capsys, "verify", "--latest")
    restored = run(capsys, "restore", made["id"], "--yes")

    assert made.keys() & listed.keys() & proved.keys() & restored.keys() >= KEYS
    assert listed == made
    assert Path(made["path"]).stat().st_size == made["size_bytes"]
    assert (made["verified"], proved["verified"]) == (False, True)
    assert made["label"] == list_backups()[-1].label == "before the weekend"
    assert restored["rows"] == made["rows"] == sum(restored["tables"].values())
    assert restored["safety"] == list_backups()[0].id


@on_sqlite
def test_for_a_person_it_says_what_to_do_next(country: Country, capsys) -> None:
    call_command("backup", "list")
    call_command("backup", "create")
    made = list_backups()[0]
    call_command("backup", "list")

    out = capsys.readouterr().out
    assert "There is no backup yet. To make one: python manage.py backup create" in out
    assert f"To prove that it restores: python manage.py backup verify {made.id}" in out
    assert "not verified" in out.splitlines()[-1]


@on_sqlite
def test_a_backup_of_one_object_is_a_file_of_its_own(country: Country, capsys) -> None:
    made = run(capsys, "create", "--kind", "object", "--model", "country", "--pk", str(country.pk))

    assert made.keys() >= KEYS
    assert json.loads(Path(made["path"]).read_text())["fields"]["name"] == "Switzerland"
    assert list_backups() == []


@on_sqlite
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--model", "moon", "--pk", "1"], "There is no model 'moon': choose country, city, airport."),
        (["--model", "country", "--pk", "999999"], "There is no country with key 999999"),
        (["--model", "country", "--pk", "Bern"], "There is no country with key Bern"),
    ],
)
def test_an_object_that_is_not_there(arguments: list[str], sentence: str, db: None, folder: Path) -> None:
    with pytest.raises(CommandError, match=sentence) as caught:
        call_command("backup", "create", "--kind", "object", *arguments)

    assert caught.value.returncode == 1


@on_sqlite
@pytest.mark.parametrize(
    "arguments",
    [
        ["create", "--kind", "object"],
        ["create", "--kind", "object", "--model", "country"],
        ["create", "--model", "country", "--pk", "1"],
        ["verify"],
        ["verify", "some-backup", "--latest"],
    ],
)
def test_wrong_usage_ends_with_two(arguments: list[str]) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("backup", *arguments)

    assert caught.value.returncode == 2


@on_sqlite
def test_there_is_no_latest_backup_where_there_is_none(folder: Path) -> None:
    with pytest.raises(
        CommandError, match=re.escape("There is no backup yet: make one with `python manage.py backup create`")
    ):
        call_command("backup", "verify", "--latest")


def test_restoring_asks_for_the_name(backup: Backup, monkeypatch, capsys) -> None:
    answer(monkeypatch, backup.id)

    call_command("backup", "restore", backup.id)

    out = capsys.readouterr().out
    assert Country.objects.get().name == "Switzerland"
    assert "This replaces everything by what was there on" in out
    assert "            1  base_country\n" in out
    assert f"To go back to before: python manage.py backup restore {list_backups()[0].id}" in out


@on_sqlite
def test_another_name_restores_nothing(backup: Backup, monkeypatch) -> None:
    answer(monkeypatch, "yes")

    with pytest.raises(CommandError, match=re.escape("That is not the backup's name: nothing was restored.")):
        call_command("backup", "restore", backup.id)

    assert Country.objects.get().name == "Schweiz"
    assert list_backups() == [backup]


@on_sqlite
def test_with_json_nobody_is_asked(backup: Backup) -> None:
    with pytest.raises(CommandError, match=re.escape("With --json nobody can be asked: add --yes.")):
        call_command("backup", "restore", backup.id, "--json")


@on_sqlite
def test_a_chosen_table_comes_back_as_a_changeset(backup: Backup, capsys) -> None:
    told = run(capsys, "restore", backup.id, "--table", "base_country", "--yes")

    assert (told["rows"], told["tables"]) == (1, {"base_country": 1})
    assert Country.history.filter(changeset_id=told["changeset"]).get().name == "Switzerland"


@on_sqlite
def test_pruning_first_says_what_would_go(backup: Backup, capsys) -> None:
    for number in range(5):
        amend(
            create_backup(actor=None, reason="", kind="before-import"),
            created_at=backup.created_at.replace(year=2020 + number),
        )

    would = run(capsys, "prune", "--dry-run")
    assert len(list_backups()) == 6

    assert run(capsys, "prune") == would
    assert {each["id"] for each in would}.isdisjoint(each.id for each in list_backups())
    assert len(would) > 0


@on_sqlite
def test_a_manifest_that_cannot_be_read_is_told_on_standard_error(backup: Backup, capsys) -> None:
    backup.file.unlink()

    call_command("backup", "list", "--json")

    told = capsys.readouterr()
    assert json.loads(told.out) == []
    assert f"The backup {backup.path} is gone" in told.err
