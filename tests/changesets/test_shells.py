"""The databases' own shells are recorded too."""

import os
import shutil
import subprocess

import pytest
from django.db import connection

from apps.airports.models import Airport
from apps.changesets.models import Changeset
from apps.changesets.revert import plan_revert, revert
from tests.changesets.conftest import World, tables
from tests.console import Console

UPDATE = "UPDATE airports_airport SET name='x' WHERE ident='KDEN'"


@pytest.fixture
def shell(transactional_db: None, tmp_path):
    """Return a function that runs a statement in psql, on the database of this test."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor != "postgresql":
        pytest.skip("psql is PostgreSQL's: see the test of the sqlite3 shell")
    if shutil.which("psql") is None:
        pytest.skip("no psql on this machine")

    def run(statement: str) -> None:
        settings = connection.settings_dict
        environment = {
            **os.environ,
            "PGHOST": settings["HOST"],
            "PGPORT": str(settings["PORT"]),
            "PGUSER": settings["USER"],
            "PGPASSWORD": settings["PASSWORD"],
        }
        subprocess.run(["psql", "-qd", name, "-c", statement], check=True, env=environment)

    return run


@pytest.mark.django_db(transaction=True)
def test_an_update_in_psql_is_a_direct_changeset_that_can_be_reverted(shell, world: World) -> None:
    before = tables()

    shell(UPDATE)

    direct = Changeset.objects.get(kind="direct")
    assert Airport.history.filter(changeset=direct).get().name == "x"
    assert direct.actor_name.endswith("via psql")
    revert(plan_revert([direct]), actor=None)
    assert tables() == before


@pytest.mark.once
@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="no sqlite3 on this machine")
def test_an_update_in_the_sqlite3_shell_is_recorded(tmp_path, migrated_file) -> None:
    file = shutil.copy(migrated_file, tmp_path)
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{file}"}

    with Console(environment) as console:
        console.manage(
            "shell",
            "-c",
            "from apps.airports.models import Airport;"
            "Airport.objects.create(ident='KDEN', name='Denver', airport_type='closed')",
        )

        subprocess.run(["sqlite3", str(file), UPDATE], check=True)
        subprocess.run(["sqlite3", str(file), UPDATE.replace("'x'", "'y'")], check=True)

        assert '"drift": 0' in console.manage("audit_history", "--json")
        assert "airports.airport KDEN y" in console.manage("changesets", "diff", "1")
