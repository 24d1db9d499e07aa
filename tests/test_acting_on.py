"""Commands that write say first which database they act on; who reads JSON, or a report, is not disturbed."""

import json

import pytest
from django.core.management import call_command, get_commands, load_command_class

from apps.changesets.identity import place_of
from apps.changesets.management.sentences import InOneSentence, Writing

READING = {"validate_airports", "makemigrations", "changesets", "imports", "check"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "command",
    ["audit_history", "migrate", "backup list", "create_groups", "import_airports --bundled --dry-run --limit 5"],
)
def test_a_command_that_writes_names_the_database(command: str, capsys) -> None:
    call_command(*command.split())

    assert capsys.readouterr().out.splitlines()[0] == f"acting on {place_of()}"


@pytest.mark.django_db
@pytest.mark.parametrize("command", [["audit_history"], ["backup", "list"], ["create_groups"]], ids=" ".join)
def test_json_stays_json(command: list[str], capsys) -> None:
    call_command(*command, "--json")

    assert json.loads(capsys.readouterr().out) is not None


@pytest.mark.django_db
def test_a_report_is_not_disturbed(capsys) -> None:
    call_command("changesets", "list")

    assert "acting on" not in capsys.readouterr().out


@pytest.mark.once
def test_every_other_command_of_ours_writes() -> None:
    ours = {name: load_command_class(app, name) for name, app in get_commands().items() if app.startswith("apps.")}
    silent = {name for name, command in ours.items() if not isinstance(command, Writing)}

    assert silent & {name for name, command in ours.items() if isinstance(command, InOneSentence)} <= READING
