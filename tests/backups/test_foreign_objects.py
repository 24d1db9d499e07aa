"""What a backup would run in the database, and is not the console's, is refused before anything of it is played."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from apps.backups.catalogue.folder import sha256_of
from apps.backups.catalogue.manifests import Backup, amend
from apps.backups.creating import create_backup
from apps.backups.drivers import archive, postgresql
from apps.backups.errors import ObjectsRefused
from apps.backups.restore.database import restore
from apps.backups.restore.verify import verify
from apps.base.models import Country
from apps.changesets.context import changeset
from apps.changesets.recording import recording_problems
from apps.changesets.sql import Sql

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="this is about pg_dump")
MAKES_SUPERUSERS = "AFTER INSERT ON base_historicalcountry BEGIN UPDATE auth_user SET is_superuser = 1; END"


def altered(backup: Backup, *statements: str) -> Backup:
    """Run statements in the file of a backup, and give it a manifest that fits: more than a forger can."""
    with closing(sqlite3.connect(backup.file)) as file:
        for statement in statements:
            file.execute(statement)
        file.commit()
    return amend(backup, sha256=sha256_of(backup.file), size_bytes=backup.file.stat().st_size)


@pytest.mark.parametrize(
    "statement",
    [
        f"CREATE TRIGGER harmless {MAKES_SUPERUSERS}",
        f"CREATE TRIGGER changesets_direct_write_note2 {MAKES_SUPERUSERS}",
        "CREATE VIEW people AS SELECT * FROM auth_user",
    ],
)
def test_a_trigger_or_view_in_a_sqlite_backup_is_refused(
    statement: str, folder: Path, using: str, database: Path
) -> None:
    forged = altered(create_backup(actor=None, reason="", using=using), statement)

    for act in (
        lambda: verify(forged, using=using),
        lambda: restore(forged, actor=None, using=using),
        lambda: restore(forged, actor=None, using=using, trust=True),
        lambda: restore(forged, actor=None, using=using, tables=("base_country",)),
    ):
        with pytest.raises(ObjectsRefused, match="would run in the database"):
            act()


def test_a_trigger_that_is_named_as_ours_is_made_anew(folder: Path, using: str, database: Path) -> None:
    User.objects.using(using).create(username="eve")
    made = create_backup(actor=None, reason="", using=using)
    forged = altered(made, f"CREATE TRIGGER record_more {MAKES_SUPERUSERS}")

    restore(forged, actor=None, using=using)
    with changeset(kind="edit", actor=None, using=using):
        Country.objects.using(using).create(iso_code="XX", name="Nowhere")

    assert not User.objects.using(using).get(username="eve").is_superuser
    assert recording_problems(using) == []


def test_a_view_of_somebody_elses_is_in_no_backup(folder: Path, using: str, caplog) -> None:
    sql = Sql(using)
    sql.run("CREATE VIEW report AS SELECT count(*) AS countries FROM base_country")
    try:
        made = create_backup(actor=None, reason="", using=using)
        assert verify(made, using=using).verified_at is not None
    finally:
        sql.run("DROP VIEW report")

    assert "report is not the console's, and so in no backup" in caplog.text


@on_postgresql
def test_a_function_in_an_archive_is_refused_before_it_plays(folder: Path, using: str) -> None:
    sql = Sql(using)
    sql.run("CREATE FUNCTION of_somebody() RETURNS integer LANGUAGE sql AS 'SELECT 1'")
    try:
        made = create_backup(actor=None, reason="", using=using)
        with pytest.raises(ObjectsRefused, match="function of_somebody"):
            restore(made, actor=None, using=using)
        with pytest.raises(ObjectsRefused):
            verify(made, using=using)
    finally:
        sql.run("DROP FUNCTION of_somebody()")

    assert Country.objects.count() == 3


@on_postgresql
def test_an_archive_plays_without_the_rights_of_a_superuser(folder: Path, using: str, monkeypatch) -> None:
    rights: list[str] = []

    def play(script: Any, cursor: Any) -> None:
        cursor.execute("SELECT current_setting('is_superuser')")
        rights.extend(cursor.fetchone())
        archive.play(script, cursor)

    monkeypatch.setattr(postgresql, "play", play)
    restore(create_backup(actor=None, reason="", using=using), actor=None, using=using)

    assert rights == ["off"]
    owners = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tableowner <> current_user"
    assert Sql(using).value(owners) == 0
    assert Sql(using).value("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'restoring\\_%%'") == 0


@pytest.mark.once
@pytest.mark.parametrize(
    "statement",
    [
        "RESET ROLE;\n",
        "SET role = 'postgres';\n",
        "SELECT pg_catalog.pg_read_file('/etc/passwd');\n",
        "SELECT pg_catalog.set_config('role', 'postgres', false);\n",
        "CREATE TABLE x (a integer); RESET ROLE;\n",
        "DO $$ BEGIN END $$;\n",
        "COMMIT;\n",
    ],
)
def test_a_script_runs_nothing_but_what_makes_tables(statement: str) -> None:
    with pytest.raises(ObjectsRefused):
        archive.play(iter([statement.encode()]), None)
