"""Recording on PostgreSQL for other roles, and in a database restored from a dump."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection

from apps.airports.models import Airport
from apps.changesets.context import changeset
from apps.changesets.models import Changeset, Kind
from apps.changesets.recording import BY_SET
from apps.changesets.revert import Bucket, blocking
from apps.changesets.revert.plan import plan_revert
from apps.changesets.sql import Sql
from tests.changesets.conftest import World

ROLE = "console_test_clerk"


@pytest.fixture(autouse=True)
def postgresql(db: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("it is about PostgreSQL")


def test_a_role_that_may_only_write_airports_is_recorded(world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {ROLE}")
        cursor.execute(f"GRANT SELECT, UPDATE ON airports_airport TO {ROLE}")
        cursor.execute(f"SET LOCAL ROLE {ROLE}")
        cursor.execute("UPDATE airports_airport SET name = 'x' WHERE ident = 'KDEN'")
        cursor.execute("RESET ROLE")

    assert Airport.history.filter(ident="KDEN").first().name == "x"


def test_a_statement_that_promises_to_keep_keys_cannot_change_one(world: World) -> None:
    with pytest.raises(DatabaseError, match="changes no key"), connection.cursor() as cursor:
        cursor.execute(f"{BY_SET} UPDATE airports_airport SET ident = 'KNEW' WHERE ident = 'KDEN'")


@pytest.mark.parametrize(("number", "setting"), [(3, "on"), (1200, "off")])
def test_the_checks_of_a_large_revert_read_its_working_copy_once_each(number, setting, monkeypatch) -> None:
    with changeset(kind=Kind.EDIT, actor=None):
        Airport.objects.bulk_create(Airport(ident=f"Q{n}", source_id=10**6 + n, name="one") for n in range(number))
    with changeset(kind=Kind.EDIT, actor=None) as renamed:
        Airport.objects.filter(name="one").update(name="two")
    asked = []

    def ask(sql: Sql, *args: Any) -> bool:
        asked.append(sql.value("SHOW enable_nestloop"))
        return _block_all(sql, *args)

    _block_all = blocking._block_all
    monkeypatch.setattr(blocking, "_block_all", ask)

    plan = plan_revert([renamed])

    assert plan.counts[Bucket.RESTORED] == number
    assert set(asked) == {setting}
    assert Sql().value("SHOW enable_nestloop") == "on"


def as_application(name: str, airport: str) -> Changeset:
    """Write directly as a pooler does for the client of an application, on the one session that it has."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('application_name', %s, false)", [name])
        cursor.execute("UPDATE airports_airport SET name = name || '!' WHERE ident = %s", [airport])
    return Airport.history.filter(ident=airport).first().changeset


@pytest.mark.django_db(transaction=True)
def test_direct_writes_of_two_applications_on_one_session_are_two_changesets(world: World) -> None:
    made = [as_application(name, airport) for name, airport in [("ana", "KDEN"), ("ben", "KAPA"), ("ben", "KBDU")]]

    assert [changeset.actor_name.rpartition(" ")[2] for changeset in made] == ["ana", "ben", "ben"]
    assert made[1] == made[2]


@pytest.fixture
def restored(transactional_db: None, world: World) -> Iterator[psycopg.Connection]:
    """Return a connection to a second database that `pg_dump | psql` filled from this one."""
    if not (shutil.which("pg_dump") and shutil.which("psql")):
        pytest.skip("no pg_dump on this machine")
    settings = connection.settings_dict
    copy = f"{settings['NAME']}_restored"
    environment = {
        **os.environ,
        "PGHOST": settings["HOST"],
        "PGPORT": str(settings["PORT"]),
        "PGUSER": settings["USER"],
        "PGPASSWORD": settings["PASSWORD"],
    }
    address = {"host": settings["HOST"], "port": settings["PORT"], "user": settings["USER"]}
    address["password"] = settings["PASSWORD"]

    with psycopg.connect(dbname="postgres", autocommit=True, **address) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{copy}"')
        server.execute(f'CREATE DATABASE "{copy}"')
        dump = subprocess.run(["pg_dump", settings["NAME"]], check=True, env=environment, capture_output=True)
        subprocess.run(
            ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", copy],
            input=dump.stdout,
            check=True,
            env=environment,
            capture_output=True,
        )
        with psycopg.connect(dbname=copy, autocommit=True, **address) as restored:
            yield restored
        server.execute(f'DROP DATABASE "{copy}"')


@pytest.mark.django_db(transaction=True)
def test_a_restored_dump_records_nothing_twice_and_goes_on_recording(restored: psycopg.Connection) -> None:
    count = "SELECT count(*) FROM airports_historicalairport"
    assert restored.execute(count).fetchone() == (3,)

    restored.execute("UPDATE airports_airport SET name = 'x' WHERE ident = 'KDEN'")

    assert restored.execute(count).fetchone() == (4,)
