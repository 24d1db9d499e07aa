"""Chosen tables come back as one changeset: only what differs is written, and it can be reverted."""

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from apps.airports.models import Airport
from apps.backups.catalogue.manifests import Backup
from apps.backups.creating import create_backup
from apps.backups.errors import BackupFailure, TablesRefused, UnknownTable
from apps.backups.restore.database import restore
from apps.base.models import City, Country
from apps.changesets.models import Changeset
from apps.changesets.recording.audit import find_drift
from apps.changesets.revert import Scope, carry_out
from tests.backups.opening import live_contents

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has the file apart here")
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="it is the same on both, and cheaper on SQLite")


def countries(using: str) -> dict[str, str]:
    return dict(Country.objects.using(using).values_list("iso_code", "name"))


@pytest.fixture
def backup(using: str, folder: Path) -> Backup:
    """A backup of three countries and one city."""
    swiss = Country.objects.using(using).get(iso_code="CH")
    City.objects.using(using).create(country=swiss, name="Bern", search_name="bern", slug="bern")
    return create_backup(actor=None, reason="", using=using)


def test_rows_come_back_as_one_changeset_and_what_is_alike_is_left_alone(backup: Backup, using: str) -> None:
    Country.objects.using(using).filter(iso_code="CH").update(name="Schweiz")
    Country.objects.using(using).filter(iso_code="US").delete()
    Country.objects.using(using).create(iso_code="FR", name="France")

    done = restore(backup, actor=None, tables=("base_country",), using=using).done

    made = Changeset.objects.using(using).get(pk=done.changeset)
    assert countries(using) == {"CH": "Switzerland", "US": "United States", "JP": "日本"}
    assert made.kind == "restore"
    assert made.source_name == backup.path
    assert made.counts == {"base.country": {"created": 1, "changed": 1, "deleted": 1}}
    assert find_drift(using) == (4, [])


@on_sqlite
def test_other_tables_stay_and_the_safety_backup_has_what_was_there(backup: Backup, using: str) -> None:
    Group.objects.using(using).create(name="made since")
    Country.objects.using(using).filter(iso_code="US").delete()

    done = restore(backup, actor=None, tables=("base_country",), using=using).done

    assert Group.objects.using(using).count() == 1
    assert done.safety.row_counts["base_country"] == 2


@on_sqlite
def test_nothing_to_bring_back_makes_no_changeset(backup: Backup, using: str) -> None:
    before = live_contents(using, backup)

    assert restore(backup, actor=None, tables=("base_country", "base_city"), using=using).done.changeset is None

    assert live_contents(using, backup) == before


def test_unique_values_that_were_swapped_since_swap_back(backup: Backup, using: str) -> None:
    codes = Country.objects.using(using)
    for old, new in [("CH", "XX"), ("US", "CH"), ("XX", "US")]:
        codes.filter(iso_code=old).update(iso_code=new)

    restore(backup, actor=None, tables=("base_country",), using=using)

    assert countries(using)["CH"] == "Switzerland"
    assert find_drift(using) == (4, [])


def test_a_row_that_would_point_to_nothing_stops_it(backup: Backup, using: str) -> None:
    City.objects.using(using).all().delete()
    Country.objects.using(using).filter(iso_code="CH").delete()
    before = live_contents(using, backup)

    with pytest.raises(TablesRefused, match=re.escape("1 rows of base_city would point to rows of base_country that")):
        restore(backup, actor=None, tables=("base_city",), using=using)

    assert live_contents(using, backup) == before
    restore(backup, actor=None, tables=("base_city", "base_country"), using=using)
    assert City.objects.using(using).get().country.iso_code == "CH"


def test_a_new_row_gets_no_key_that_a_deleted_one_had(backup: Backup, using: str) -> None:
    later = Country.objects.using(using).create(iso_code="FR", name="France")

    restore(backup, actor=None, tables=("base_country",), using=using)

    assert Country.objects.using(using).create(iso_code="IT", name="Italy").pk > later.pk


@on_postgresql
def test_such_a_restore_is_reverted_like_any_change(backup: Backup, using: str) -> None:
    Country.objects.filter(iso_code="CH").update(name="Schweiz")
    done = restore(backup, actor=None, tables=("base_country",), using=using).done

    carry_out([Changeset.objects.get(pk=done.changeset)], scope=Scope(), on_conflict="keep", actor=None, reason="")

    assert countries(using)["CH"] == "Schweiz"


@on_sqlite
@pytest.mark.parametrize(
    ("table", "failure", "sentence"),
    [
        ("base_moon", UnknownTable, "has no table 'base_moon': choose from airports_airport,"),
        ("base_historicalcity", TablesRefused, "base_historicalcity comes back only with the whole database"),
        ("changesets_changeset", TablesRefused, "changesets_changeset comes back only with the whole database"),
        ("django_migrations", TablesRefused, "django_migrations comes back only with the whole database"),
    ],
)
def test_a_table_that_cannot_come_back_by_itself(
    table: str, failure: type[BackupFailure], sentence: str, backup: Backup, using: str
) -> None:
    with pytest.raises(failure, match=re.escape(sentence)):
        restore(backup, actor=None, tables=(table,), using=using)


def test_a_backup_of_chosen_tables_has_no_others(using: str, folder: Path) -> None:
    made = create_backup(actor=None, reason="", tables=("base_country", "auth_group"), using=using)

    assert made.tables == ("auth_group", "base_country")
    assert Airport._meta.db_table not in made.row_counts
    assert restore(made, actor=None, using=using).done.row_counts == {"auth_group": 0, "base_country": 3}


def test_a_backup_of_a_table_that_is_not_there(using: str, folder: Path) -> None:
    with pytest.raises(UnknownTable, match="There is no table 'base_moon': choose from airports_airport"):
        create_backup(actor=None, reason="", tables=("base_moon",), using=using)

    assert list(folder.iterdir()) == []
