"""audit_history finds what went unrecorded, and repairs it."""

import json
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connection

from apps.airports.models import Airport
from apps.changesets.models import Changeset
from apps.changesets.recording import install_recording, uninstall_recording
from tests.changesets.conftest import World


@pytest.fixture
def unrecorded(world: World) -> Iterator[None]:
    """One airport changed, one deleted and one created while nothing was recorded."""
    if connection.vendor == "postgresql":
        connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
    uninstall_recording()
    Airport.objects.filter(pk="KDEN").update(name="changed in the dark")
    Airport.objects.filter(pk="KAPA").delete()
    Airport.objects.create(ident="DARK", name="made in the dark", airport_type="closed")
    yield
    install_recording()


def audit(*arguments: str) -> dict:
    out = StringIO()
    call_command("audit_history", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_a_recorded_world_has_no_drift(world: World) -> None:
    assert audit() == {"objects": 6, "drift": 0}


def test_drift_is_counted_and_ends_with_an_error(unrecorded: None) -> None:
    install_recording()
    out = StringIO()

    with pytest.raises(CommandError, match="3 objects differ from their history"):
        call_command("audit_history", "--json", stdout=out)

    assert json.loads(out.getvalue()) == {"objects": 6, "drift": 3}


def test_missing_triggers_are_an_error_of_audit_and_of_the_system_check(unrecorded: None) -> None:
    with pytest.raises(CommandError, match="are not recorded"):
        call_command("audit_history", stdout=StringIO())

    assert {message.id for message in run_checks(databases=["default"])} == {"changesets.E001"}


def test_repair_installs_the_recording_and_writes_what_is_missing(unrecorded: None) -> None:
    assert audit("--repair") == {"objects": 6, "drift": 0}

    baseline, found = Changeset.objects.get(kind="baseline"), Changeset.objects.filter(kind="direct").first()
    assert [row.ident for row in Airport.history.filter(changeset=baseline)] == ["DARK"]
    rows = Airport.history.filter(changeset=found).values_list("ident", "history_type")
    assert sorted(rows) == [("KAPA", "-"), ("KDEN", "~")]
    assert run_checks(databases=["default"]) == []


@pytest.mark.parametrize("command", ["populate_history", "clean_old_history", "clean_duplicate_history"])
def test_simple_historys_commands_are_refused(db: None, command: str) -> None:
    with pytest.raises(CommandError, match="the database records history"):
        call_command(command)


def test_simple_historys_bulk_helpers_are_refused(world: World) -> None:
    from simple_history.utils import bulk_update_with_history

    from apps.changesets.errors import HistoryIsRecordedByTheDatabase

    with pytest.raises(HistoryIsRecordedByTheDatabase, match="the database records"):
        bulk_update_with_history(list(Airport.objects.all()), Airport, ["name"])


def test_an_old_sqlite_is_an_error_of_the_system_check(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("it is about SQLite")
    monkeypatch.setattr(connection.Database, "sqlite_version_info", (3, 37, 2))

    assert {message.id for message in run_checks(databases=["default"])} == {"changesets.E002"}
