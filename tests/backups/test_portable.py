"""A data backup carries every row exactly, between SQLite and PostgreSQL too, and nothing is written from a bad one."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from apps.airports.models import Airport
from apps.backups.creating import create_backup
from apps.backups.drivers import data
from apps.backups.errors import (
    BackupFailure,
    BackupUnreadable,
    DatabaseUnreadable,
    OtherSchema,
    RestoreFailed,
    UnknownTable,
)
from apps.backups.portable.facts import require_migrated
from apps.backups.portable.snapshot import snapshot
from apps.backups.portable.writing import write_rows
from apps.base.models import Country
from apps.changesets.context import changeset
from apps.changesets.recording.audit import find_drift
from apps.imports.models import Pin
from tests.backups.opening import connect_to
from tests.backups.restoring_files import restored
from tests.second_domain.models import Operator, Station

MOMENT = datetime(2026, 4, 1, 12, 30, 59, 123457, tzinfo=UTC)


@pytest.fixture
def full(using: str) -> str:
    """The name of a database with something of everything that is easily lost on the way."""
    fill(using)
    return using


def fill(using: str) -> None:
    olga = User.objects.db_manager(using).create_user("olga")
    group = Group.objects.using(using).create(name="people")
    group.permissions.set(Permission.objects.using(using).filter(codename__contains="airport"))
    olga.groups.set([group])
    with changeset(kind="edit", actor=olga, reason="“zitiert” \u2028 日本", using=using) as first:
        country = Country.objects.using(using).create(iso_code="IT", name="Italia")
        Airport.objects.using(using).create(
            ident="LSZH",
            name='Zürich "Kloten"\n\t\\',
            airport_type="large_airport",
            latitude_deg=0.1 + 0.2,
            longitude_deg=-1e-9,
            upstream={"b": [1, 2.5, None, {"ä": True}], "a": "\u2028"},
            country=country,
        )
        # Keys that are UUIDs, and days.
        operator = Operator.objects.using(using).create(code="SBB", name="SBB")
        Station.objects.using(using).create(code="BN", name="Bern", operator=operator, opened="1860-05-01")
    with changeset(kind="revert", actor=None, using=using) as second:
        Country.objects.using(using).filter(iso_code="IT").update(latitude=5.0, created_at=MOMENT)
        second.reverts.set([first])
    Pin.objects.using(using).create(model="airports.airport", object_key="pk:LSZH", actor=olga, created_at=MOMENT)


def contents(using: str) -> dict[str, str]:
    return data.facts(using, hashed=True).contents


def test_what_is_restored_is_exactly_what_was_backed_up_and_is_recorded(full: str, folder: Path) -> None:
    backup = create_backup(actor=None, reason="", kind="data", using=full)
    before = contents(full)
    with changeset(kind="delete", actor=None, using=full):
        Airport.objects.using(full).all().delete()
        Country.objects.using(full).update(name="lost")
    User.objects.using(full).all().delete()
    Group.objects.using(full).create(name="later")

    restored(backup.file, full)

    assert contents(full) == before == backup.contents
    assert data.facts(full).row_counts == backup.row_counts
    assert find_drift(full) == (7, [])
    airport = Airport.objects.using(full).get()
    assert (airport.latitude_deg, airport.upstream["b"]) == (0.1 + 0.2, [1, 2.5, None, {"ä": True}])
    assert Country.objects.using(full).get(iso_code="IT").created_at == MOMENT
    may = Permission.objects.using(full).filter(codename__contains="airport")
    assert set(User.objects.using(full).get().groups.get().permissions.all()) == set(may)
    with changeset(kind="edit", actor=None, using=full) as opened:
        Airport.objects.using(full).update(name="Kloten")
    assert opened.counts == {"airports.airport": {"changed": 1}}


def test_rows_move_between_sqlite_and_postgresql_in_both_directions(full: str, folder: Path, another: str) -> None:
    first = create_backup(actor=None, reason="", kind="data", using=full)

    restored(first.file, another)
    second = create_backup(actor=None, reason="", kind="data", using=another)
    restored(second.file, full)

    assert first.contents == contents(another) == second.contents == contents(full)
    assert (find_drift(another), find_drift(full)) == ((7, []), (7, []))


def test_loaddata_reads_a_data_backup(full: str, folder: Path, another: str) -> None:
    backup = create_backup(actor=None, reason="", kind="data", using=full)

    call_command("loaddata", str(backup.file), database=another, verbosity=0)

    assert contents(another) == backup.contents


def test_what_others_commit_while_a_backup_is_written_is_not_in_it(using: str) -> None:
    with snapshot(using) as alias:
        with connect_to(using) as somebody:
            somebody.cursor().execute("UPDATE base_country SET name = 'changed' WHERE iso_code = 'CH'")
        seen = set(Country.objects.using(alias).values_list("name", flat=True))

    assert "changed" not in seen
    assert Country.objects.using(using).filter(name="changed").exists()


def test_a_hash_tells_rows_apart_and_asks_for_no_order(db: None) -> None:
    Country.objects.bulk_create(Country(iso_code=code, name=code) for code in ("CH", "US"))
    forward = write_rows("default", Country, None)
    backward = write_rows("default", Country, None, only=lambda rows: rows.reverse())
    Country.objects.filter(iso_code="CH").update(latitude=1e-12)

    assert forward.content == backward.content
    assert write_rows("default", Country, None).content != forward.content


def test_chosen_tables_are_refused(db: None, folder: Path) -> None:
    with pytest.raises(UnknownTable, match="A portable backup has all tables, and not base_country alone"):
        create_backup(actor=None, reason="", kind="data", tables=("base_country",))


def cut(lines: list[dict], raw: bytes) -> bytes:
    return raw[: len(raw) // 2]


def no_backup(lines: list[dict], raw: bytes) -> bytes:
    return b"no gzip at all"


def packed(lines: list[dict]) -> bytes:
    return gzip.compress("".join(f"{json.dumps(line)}\n" for line in lines).encode())


def other_field(lines: list[dict], raw: bytes) -> bytes:
    next(line for line in lines if line["model"] == "base.country")["fields"]["colour"] = "red"
    return packed(lines)


def other_table(lines: list[dict], raw: bytes) -> bytes:
    return packed([*lines, {"model": "base.planet", "pk": 1, "fields": {}}])


def bad_value(lines: list[dict], raw: bytes) -> bytes:
    next(line for line in lines if line["model"] == "base.country")["fields"]["latitude"] = "north"
    return packed(lines)


def link_to_nowhere(lines: list[dict], raw: bytes) -> bytes:
    next(line for line in lines if line["model"] == "airports.airport")["fields"]["country"] = 999
    return packed(lines)


def no_json(lines: list[dict], raw: bytes) -> bytes:
    return gzip.compress(b'{"model": "base.country"\n')


@pytest.mark.parametrize(
    ("damage", "error", "sentence"),
    [
        (cut, BackupUnreadable, "cannot be read: .*cut off or damaged"),
        (no_backup, BackupUnreadable, "cannot be read: .*cut off or damaged"),
        (no_json, BackupUnreadable, "cannot be read: line 1 is no row of a table"),
        (other_field, OtherSchema, "base_country has no field 'colour'; nothing was restored"),
        (other_table, OtherSchema, "has rows of 'base.planet', which no table here takes"),
        (bad_value, BackupUnreadable, "is no row of base_country"),
        (link_to_nowhere, RestoreFailed, "The database did not take the rows of .*It is as it was"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence_and_nothing_is_written(
    db: None, tmp_path: Path, damage: Callable, error: type[BackupFailure], sentence: str
) -> None:
    fill("default")
    connection.check_constraints()
    file = tmp_path / "data.jsonl.gz"
    before = data.write_all("default", file).contents
    raw = file.read_bytes()
    file.write_bytes(damage([json.loads(line) for line in gzip.decompress(raw).splitlines()], raw))

    with pytest.raises(error, match=sentence) as refused:
        restored(file, "default")

    assert "\n" not in str(refused.value)
    assert contents("default") == before


def test_tables_that_are_not_migrated_are_refused(db: None) -> None:
    newest = MigrationLoader(connection).graph.leaf_nodes("quality")[0]
    MigrationRecorder(connection).record_unapplied(*newest)

    with pytest.raises(DatabaseUnreadable, match=r"lacks migrations \(quality.* is the first\)"):
        require_migrated("default")
