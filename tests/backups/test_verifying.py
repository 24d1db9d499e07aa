"""A backup is called good only after it was restored into a scratch database, and every table found the same."""

import re
from pathlib import Path

import pytest
from django.db import connection

from apps.backups.catalogue.manifests import Backup, amend, list_backups
from apps.backups.creating import create_backup, sha256_of
from apps.backups.errors import BackupAltered, BackupFailure, NotTheSame
from apps.backups.kinds import driver_for
from apps.backups.restore.verify import verify
from apps.base.models import Country
from tests.backups.opening import connect_to, live_contents


@pytest.fixture
def backup(using: str, folder: Path) -> Backup:
    return create_backup(actor=None, reason="", using=using)


def not_good(failure: type[BackupFailure], sentence: str, backup: Backup, using: str) -> None:
    """Assert that the backup is found to be not good, and that the catalogue says so."""
    with pytest.raises(failure, match=re.escape(sentence)) as caught:
        verify(backup, using=using)
    (told,) = list_backups()
    assert (told.verified_at, told.verified) == (None, str(caught.value))


def scratch_left(using: str, folder: Path) -> list:
    """Return what is left of scratch databases."""
    if connection.vendor == "sqlite":
        return list(folder.glob(".scratch*"))
    with connect_to(using) as server:
        # Other programs may be verifying theirs on this server.
        return server.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE left(current_database(), 50) || '%\\_scratch'"
        ).fetchall()


def test_the_proof_is_in_the_manifest_and_the_live_database_is_not_touched(
    backup: Backup, using: str, folder: Path
) -> None:
    Country.objects.using(using).filter(iso_code="CH").delete()
    before = live_contents(using, backup)

    proved = verify(backup, using=using)

    assert list_backups() == [proved]
    assert proved.verified_at is not None
    assert f"{backup.rows:,} rows in {len(backup.row_counts)} tables are the same" in proved.verified
    assert proved.contents.keys() == backup.row_counts.keys()
    assert live_contents(using, backup) == before
    assert scratch_left(using, folder) == []


def test_a_backup_that_was_good_and_is_altered_since_is_good_no_more(backup: Backup, using: str, folder: Path) -> None:
    verify(backup, using=using)
    with backup.file.open("ab") as stream:
        stream.write(b"x")

    not_good(BackupAltered, "is not whole", list_backups()[0], using)


def test_a_row_less_than_was_counted_is_not_good(backup: Backup, using: str, folder: Path) -> None:
    claims = amend(backup, row_counts={**backup.row_counts, "base_country": 4})

    not_good(NotTheSame, "base_country has 3 rows after restoring", claims, using)

    assert scratch_left(using, folder) == []


def test_other_rows_in_the_same_number_are_not_good(backup: Backup, using: str, folder: Path) -> None:
    proved = verify(backup, using=using)
    Country.objects.using(using).filter(iso_code="CH").update(name="Schweiz")
    other = create_backup(actor=None, reason="", using=using)
    other.file.rename(proved.file)
    for manifest in folder.glob(f"{other.id}*"):
        manifest.unlink()
    swapped = amend(proved, sha256=sha256_of(proved.file), size_bytes=proved.file.stat().st_size)
    counts = {**swapped.row_counts, **{table: other.row_counts[table] for table in other.row_counts}}

    not_good(NotTheSame, "The rows of base_country after restoring", amend(swapped, row_counts=counts), using)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="it is the same on both")
def test_the_migrations_that_make_tables_for_a_portable_backup_are_none_that_it_lacks(using: str, folder: Path) -> None:
    portable = create_backup(actor=None, reason="", kind="data", using=using)

    assert verify(portable, using=using).verified.endswith("tables are the same.")


def test_a_backup_of_chosen_tables_is_proved_by_their_rows(using: str, folder: Path) -> None:
    chosen = create_backup(actor=None, reason="", tables=("base_country", "airports_airport"), using=using)

    assert verify(chosen, using=using).verified_at is not None


def test_hashes_differ_when_two_values_of_a_row_change_places(using: str, folder: Path) -> None:
    driver = driver_for("full", connection.vendor)
    Country.objects.using(using).filter(iso_code="CH").update(search_name="b", slug="a")
    first = driver.writer.facts(using, hashed=True).contents
    Country.objects.using(using).filter(iso_code="CH").update(search_name="a", slug="b")
    second = driver.writer.facts(using, hashed=True).contents

    assert first["base_country"] != second["base_country"]
    assert first["base_city"] == second["base_city"]
