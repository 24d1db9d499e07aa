"""audit_history finds what went unrecorded, and repairs it."""

import json
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db import connection

from apps.airports.models import Airport
from apps.changesets.context import changeset
from apps.changesets.errors import RecordingNotInstalled
from apps.changesets.models import Changeset
from apps.changesets.recording import install_recording, recording_problems, uninstall_recording
from tests.changesets.conftest import World

SOUND = {"objects": 6, "drift": 0, "orphans": 0, "miscounted": 0}


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
    assert audit() == SOUND


def test_drift_is_counted_and_ends_with_an_error(unrecorded: None) -> None:
    install_recording()
    out = StringIO()

    with pytest.raises(CommandError, match="3 objects differ from their history"):
        call_command("audit_history", "--json", stdout=out)

    assert json.loads(out.getvalue()) == SOUND | {"drift": 3}


def test_missing_triggers_are_an_error_of_audit_and_of_the_system_check(unrecorded: None) -> None:
    with pytest.raises(CommandError, match="are not recorded"):
        call_command("audit_history", stdout=StringIO())

    assert {message.id for message in run_checks(databases=["default"])} == {"changesets.E001"}


def test_repair_installs_the_recording_and_writes_what_is_missing(unrecorded: None) -> None:
    assert audit("--repair") == SOUND

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


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


BY_HAND = {
    "direct emptied": "DELETE FROM changesets_direct",
    "direct filled": "UPDATE changesets_direct SET changeset_id = {made}, written_at = julianday('now')",
    "open filled": "INSERT INTO changesets_open VALUES (1, {made}, NULL, '2026-01-01 00:00:00.000001')",
    "open filled with none": "INSERT INTO changesets_open VALUES (1, 999, NULL, '2026-01-01 00:00:00.000001')",
}


@pytest.mark.parametrize("statement", BY_HAND.values(), ids=BY_HAND.keys())
def test_what_is_done_by_hand_to_the_recordings_tables_is_seen_and_mended(world: World, statement: str) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL has no such tables")
    execute(statement.format(made=world.made_by.pk))

    assert {message.id for message in run_checks(databases=["default"])} == {"changesets.E001"}
    with pytest.raises(CommandError, match="own parts are missing, old or changed by hand"):
        call_command("audit_history", stdout=StringIO())
    with pytest.raises(RecordingNotInstalled), changeset(kind="edit", actor=None):
        pass

    assert audit("--repair") == SOUND
    Airport.objects.filter(pk="KDEN").update(name="recorded again")
    assert Airport.history.first().changeset.kind == "direct"
    assert audit() == SOUND


def test_an_open_changeset_is_not_taken_for_one_by_hand(world: World) -> None:
    with changeset(kind="edit", actor=None):
        Airport.objects.filter(pk="KDEN").update(name="x")

        assert recording_problems() == []


def test_rows_without_their_changeset_are_seen_and_get_it_back(world: World) -> None:
    with changeset(kind="edit", actor=None) as lost:
        Airport.objects.filter(pk="KDEN").update(name="x")
    number, at = lost.pk, lost.created_at
    lost.delete()

    with pytest.raises(CommandError, match="1 rows of history name a changeset that does not exist"):
        audit()

    assert audit("--repair") == SOUND
    found = Changeset.objects.get(pk=number)
    assert (found.kind, found.created_at, found.counts) == ("direct", at, {"airports.airport": {"changed": 1}})


def test_untrue_counts_are_seen_and_mended(world: World) -> None:
    with changeset(kind="import", actor=None) as renaming:
        Airport.objects.filter(pk="KDEN").update(ident="KDVX")
    true = renaming.counts
    Changeset.objects.filter(pk=renaming.pk).update(counts={"airports.airport": {"created": 1, "deleted": 1}})

    with pytest.raises(CommandError, match=rf"1 changesets have counts .* \(#{renaming.pk}\)"):
        audit()

    assert audit("--repair") == SOUND
    assert Changeset.objects.get(pk=renaming.pk).counts == true


def test_a_plain_check_says_that_recording_is_off(unrecorded: None) -> None:
    with pytest.raises(SystemCheckError, match=r"changesets\.E001"):
        call_command("check", stdout=StringIO(), stderr=StringIO())


def test_a_plain_check_passes_where_all_is_well(world: World) -> None:
    out = StringIO()

    call_command("check", stdout=out)

    assert "no issues" in out.getvalue()
