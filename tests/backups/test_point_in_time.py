"""The command goes back to a changeset or a moment with a backup and the increments on it."""

import json
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from apps.backups.aliases import alias_of
from apps.backups.catalogue.journal import read_journal
from apps.backups.catalogue.manifests import amend, list_backups
from apps.backups.creating import create_backup
from apps.backups.errors import NoBase, TablesRefused
from apps.backups.restore.database import restore
from apps.backups.restore.point_in_time import read_upto
from apps.base.models import Country
from apps.changesets.context import changeset
from apps.changesets.errors import UnreadableMoment
from apps.changesets.history.cursors import cursor_now, is_of
from apps.changesets.history.diff import changes_since
from apps.changesets.models import Changeset
from apps.changesets.recording.audit import find_drift


@pytest.fixture
def renamed(transactional_db: None, folder: Path) -> list[int]:
    """The numbers of four changesets: one in a full backup, two in an increment, the last in another one."""
    made = []
    for number, name in enumerate(("Eins", "Zwei", "Drei", "Vier")):
        with changeset(kind="edit", actor=None, reason=name) as opened:
            Country.objects.update_or_create(iso_code="CH", defaults={"name": name})
        made.append(opened.pk)
        if number != 1:
            call_command("backup", "create", "--kind", "incremental" if number else "full", "--json")
    return made


def run(capsys: pytest.CaptureFixture, *arguments: str) -> Any:
    capsys.readouterr()
    call_command("backup", *arguments, "--json")
    return json.loads(capsys.readouterr().out)


def test_a_full_backup_and_its_increments_go_back_to_a_changeset(renamed: list[int], capsys) -> None:
    full = list_backups()[-1]

    restored = run(capsys, "restore", full.id, "--upto", str(renamed[1]), "--yes")

    assert Country.objects.get().name == "Zwei"
    assert list(Changeset.objects.order_by("pk").values_list("pk", flat=True)) == renamed[:2]
    assert find_drift() == (1, [])
    assert restored["safety"] == list_backups()[0].id
    assert read_journal()[0]["upto"] == f"changeset #{renamed[1]}"
    Country.objects.update(name="Neu")
    assert Country.history.first().changeset_id > renamed[1]


def test_an_increment_is_verified_and_restored_with_what_is_under_it(renamed: list[int], capsys) -> None:
    Country.objects.update(name="lost")
    proved = run(capsys, "verify", "--latest")
    restored = run(capsys, "restore", proved["id"], "--yes")

    assert (proved["kind"], proved["verified"], restored["drift"]) == ("incremental", True, 0)
    assert Country.objects.get().name == "Vier"
    with pytest.raises(CommandError, match="There is no full backup of this database as it is now"):
        call_command("backup", "create", "--kind", "incremental")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="it is the same on both")
def test_a_gap_is_told_and_nothing_is_restored(renamed: list[int]) -> None:
    newest, middle, _ = list_backups()
    middle.file.with_name(f"{middle.id}.json").unlink()

    with pytest.raises(CommandError, match=f"{newest.id} goes on from {middle.id}, which is not there"):
        call_command("backup", "restore", newest.id, "--yes")
    assert Country.objects.get().name == "Vier"


@pytest.mark.skipif(connection.vendor != "sqlite", reason="it is the same on both")
def test_tables_alone_do_not_go_back_to_a_changeset(renamed: list[int]) -> None:
    with pytest.raises(TablesRefused, match="Only the whole database goes back"):
        restore(list_backups()[-1], actor=None, tables=("base_country",), upto=renamed[1])


def test_what_up_to_may_be(db: None) -> None:
    assert (read_upto("41"), read_upto("#41")) == (41, 41)
    assert read_upto("2026-04-01T12:30").isoformat() == "2026-04-01T12:30:00+00:00"
    assert timedelta(hours=23) < read_upto("2026-04-01") - read_upto("2026-04-01T00:00") < timedelta(days=1)
    assert read_upto("2026-04-01") < timezone.now()
    with pytest.raises(UnreadableMoment, match="is neither a changeset nor a time"):
        read_upto("now")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_what_was_open_when_the_base_was_made_is_in_the_increment(transactional_db: None, folder: Path) -> None:
    with alias_of(connection.settings_dict) as slow, ExitStack() as open_until_later:
        open_until_later.enter_context(changeset(kind="edit", actor=None, using=slow))
        Country.objects.using(slow).create(iso_code="CH", name="slow")
        with changeset(kind="edit", actor=None) as quick:
            Country.objects.create(iso_code="US", name="quick")
        base = create_backup(actor=None, reason="")
        open_until_later.close()
        slow_one = Changeset.objects.order_by("pk").first()
        made = create_backup(actor=None, reason="", kind="incremental")
        Country.objects.all().delete()

        restore(made, actor=None)

    assert (base.newest_changeset, slow_one.pk < quick.pk) == (quick.pk, True)
    assert set(Country.objects.values_list("name", flat=True)) == {"slow", "quick"}
    assert find_drift() == (2, [])


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_a_direct_write_that_was_open_for_long_when_the_base_was_made_is_in_the_increment(
    transactional_db: None, folder: Path
) -> None:
    with alias_of(connection.settings_dict) as slow, transaction.atomic(using=slow):
        Country.objects.using(slow).create(iso_code="CH", name="slow")
        long_ago = timezone.now() - timedelta(minutes=11)
        Changeset.objects.using(slow).filter(kind="direct").update(created_at=long_ago)
        with changeset(kind="edit", actor=None):
            Country.objects.create(iso_code="US", name="quick")
        create_backup(actor=None, reason="")
    made = create_backup(actor=None, reason="", kind="incremental")
    Country.objects.all().delete()

    restore(made, actor=None)

    assert set(Country.objects.values_list("name", flat=True)) == {"slow", "quick"}
    assert find_drift() == (2, [])


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_a_moment_has_what_was_finished_by_then_and_nothing_that_a_slow_one_committed_later(
    transactional_db: None, folder: Path
) -> None:
    with alias_of(connection.settings_dict) as slow, ExitStack() as open_until_later:
        open_until_later.enter_context(changeset(kind="edit", actor=None, using=slow))
        Country.objects.using(slow).create(iso_code="CH", name="slow")
        with changeset(kind="edit", actor=None):
            Country.objects.create(iso_code="US", name="quick")
        base = create_backup(actor=None, reason="")
        with changeset(kind="edit", actor=None):
            Country.objects.create(iso_code="JP", name="second")
        moment = timezone.now()
        open_until_later.close()
    create_backup(actor=None, reason="", kind="incremental")

    restore(base, actor=None, upto=moment)

    assert set(Country.objects.values_list("name", flat=True)) == {"quick", "second"}
    assert find_drift() == (2, [])


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
@pytest.mark.parametrize(
    ("last", "there"),
    [("quick", {"quick"}), ("second", {"quick", "second"}), ("slow", {"quick", "second", "slow"})],
)
@pytest.mark.parametrize("through", ["base", "increment"])
def test_up_to_a_changeset_goes_by_the_order_of_commits(
    last: str, there: set[str], through: str, transactional_db: None, folder: Path
) -> None:
    """The slow one has the lowest number, and is committed as the third of four."""
    numbers, backups = {}, {}

    def write(name: str, code: str) -> None:
        with changeset(kind="edit", actor=None, reason=name) as made:
            Country.objects.create(iso_code=code, name=name)
        numbers[name] = made.pk

    with alias_of(connection.settings_dict) as slow, ExitStack() as open_until_later:
        opened = open_until_later.enter_context(changeset(kind="edit", actor=None, using=slow))
        Country.objects.using(slow).create(iso_code="CH", name="slow")
        numbers["slow"] = opened.pk
        write("quick", "US")
        backups["base"] = create_backup(actor=None, reason="")
        write("second", "JP")
        create_backup(actor=None, reason="", kind="incremental")
        open_until_later.close()
    write("fourth", "FR")
    backups["increment"] = create_backup(actor=None, reason="", kind="incremental")

    restore(backups[through], actor=None, upto=numbers[last])

    assert set(Country.objects.values_list("name", flat=True)) == there
    assert find_drift() == (len(there), [])


def test_a_cursor_from_before_a_restore_is_refused(transactional_db: None, folder: Path) -> None:
    with changeset(kind="edit", actor=None):
        Country.objects.create(iso_code="CH", name="Switzerland")
    earlier, base = cursor_now(), create_backup(actor=None, reason="")
    with changeset(kind="edit", actor=None):
        Country.objects.create(iso_code="US", name="gone")
    later = cursor_now()

    restore(base, actor=None)
    with changeset(kind="edit", actor=None):
        Country.objects.create(iso_code="JP", name="Japan")

    assert (is_of(earlier), is_of(later)) == (True, False)
    assert [change.pk for change in changes_since(earlier)] == [str(Country.objects.get(iso_code="JP").pk)]


def test_an_increment_that_would_not_hold_everything_is_refused(transactional_db: None, folder: Path) -> None:
    with changeset(kind="edit", actor=None):
        Country.objects.create(iso_code="CH", name="Switzerland")
    base = create_backup(actor=None, reason="", kind="data")
    amend(base, row_counts={**base.row_counts, "base_historicalcountry": 5})

    with pytest.raises(
        NoBase, match=r"would not hold all of base_historicalcountry: 5 rows less 0 plus 0 .* a full one"
    ):
        create_backup(actor=None, reason="", kind="incremental")
    assert [backup.kind for backup in list_backups()] == ["data"]
