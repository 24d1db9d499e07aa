"""PostgreSQL that was started anew: what died in the pool is replaced, and a worker goes on when it is back."""

import psycopg
import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django_tasks_db.management.commands import db_worker

from apps.imports.management.commands import db_worker as ours

pytestmark = pytest.mark.django_db(transaction=True)
postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no server")


def end_sessions() -> None:
    """End all sessions of this database, as a new start of the server does."""
    settings = connection.settings_dict
    with psycopg.connect(
        host=settings["HOST"], port=settings["PORT"], user=settings["USER"], dbname=settings["NAME"], autocommit=True
    ) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@postgresql
def test_a_connection_that_died_in_the_pool_is_replaced_before_a_page_gets_it() -> None:
    connection.ensure_connection()
    connection.close()
    end_sessions()

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


@postgresql
def test_a_server_that_does_not_answer_is_given_up_after_seconds() -> None:
    options = connection.settings_dict["OPTIONS"]

    assert (options["connect_timeout"], options["pool"]["timeout"]) == (5, 10)


def test_a_worker_waits_for_a_database_that_is_away_and_goes_on(monkeypatch, caplog) -> None:
    waits: list[float] = []
    monkeypatch.setattr(ours.time, "sleep", waits.append)
    # The database is away three times, and then there is nothing to do.
    answers = iter([OperationalError("connection refused")] * 3 + [None])

    def run(worker: db_worker.Worker) -> None:
        if (error := next(answers)) is not None:
            raise error

    monkeypatch.setattr(db_worker.Worker, "run", run)

    call_command("db_worker", reload=False)

    assert waits == [1, 2, 5]
    assert "tries again in 1 s: connection refused" in caplog.text
