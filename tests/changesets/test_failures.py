"""What the database fails with becomes a cause, and a sentence for a person that says what to do."""

import sqlite3
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from apps.changesets.management.sentences import InOneSentence
from apps.changesets.processes.failures import (
    WRITERS,
    Cause,
    cause_of,
    forget_writer,
    note_writer,
    refusal_of,
    sentence_of,
    who_writes,
    words_of,
)

STATES = [
    ("55P03", Cause.BUSY),
    ("40P01", Cause.THROWN_OUT),
    ("40001", Cause.THROWN_OUT),
    ("08006", Cause.UNREACHABLE),
    ("57P01", Cause.UNREACHABLE),
    ("3D000", Cause.UNREACHABLE),
    ("53300", Cause.UNREACHABLE),
    ("53100", Cause.FULL),
    ("25006", Cause.READ_ONLY),
    ("42P01", Cause.NOT_MIGRATED),
    ("XX001", Cause.DAMAGED),
    ("23505", Cause.OTHER),
]
CODES = [
    (sqlite3.SQLITE_BUSY_SNAPSHOT, Cause.BUSY),
    (sqlite3.SQLITE_READONLY_DBMOVED, Cause.READ_ONLY),
    (sqlite3.SQLITE_FULL, Cause.FULL),
    (sqlite3.SQLITE_CANTOPEN, Cause.UNREACHABLE),
    (sqlite3.SQLITE_NOTADB, Cause.DAMAGED),
    (sqlite3.SQLITE_CONSTRAINT, Cause.OTHER),
]
COMMANDS = [
    ("audit_history",),
    ("changesets", "list"),
    ("imports", "status"),
    ("validate_airports",),
    ("rollback_airports", "--yes"),
    ("prune_history", "--before", "2020-01-01"),
    ("create_groups",),
    ("migrate",),
]


def failure(words: str, **driver: Any) -> OperationalError:
    """Return what Django raises for an error of the driver with these attributes."""
    cause, error = Exception(words), OperationalError(words)
    vars(cause).update(driver)
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(("state", "cause"), STATES)
def test_postgresql_says_why_by_its_state(state: str, cause: Cause) -> None:
    assert cause_of(failure("in whatever language", sqlstate=state)) == cause


@pytest.mark.parametrize(("code", "cause"), CODES)
def test_sqlite_says_why_by_its_code(code: int, cause: Cause) -> None:
    assert cause_of(failure("something", sqlite_errorcode=code, sqlite_errorname="")) == cause


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (OperationalError("no such table: airports_airport"), Cause.NOT_MIGRATED),
        (OperationalError("connection failed: Connection refused"), Cause.UNREACHABLE),
        (OperationalError("connection failed: FATAL: could not write file: No space left on device"), Cause.FULL),
        (InterfaceError("the connection is closed"), Cause.UNREACHABLE),
        (DatabaseError("what nobody knows"), Cause.OTHER),
        (ValueError("database is locked"), Cause.OTHER),
    ],
)
def test_where_there_is_no_code_the_words_say_it(error: Exception, cause: Cause) -> None:
    assert cause_of(error) == cause


def test_behind_a_pool_that_only_waited_the_database_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = connection.Database

    def refuse(**address: Any) -> None:
        raise driver.OperationalError("connection failed: FATAL: could not write file: No space left on device")

    monkeypatch.setattr(driver, "connect", refuse)
    waited = OperationalError("couldn't get a connection after 10.00 sec")
    waited.__cause__ = type("PoolTimeout", (Exception,), {})()

    assert cause_of(refusal_of(waited)) == Cause.FULL
    assert words_of(waited).endswith("No space left on device")


@pytest.mark.django_db
@pytest.mark.parametrize("cause", list(Cause))
def test_each_cause_has_a_sentence(cause: Cause) -> None:
    sentence = sentence_of(None, cause=cause)

    assert "nothing was changed" in sentence or "nothing is half done" in sentence
    assert "migrate" not in sentence or cause == Cause.NOT_MIGRATED


@pytest.mark.django_db
def test_who_writes_is_known_as_long_as_they_do() -> None:
    note_writer("a revert", "stan")

    assert who_writes().startswith("a revert by stan since ")
    forget_writer()
    assert who_writes() == ""


@pytest.mark.django_db
def test_who_cannot_be_asked_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> str:
        raise DatabaseError("current transaction is aborted")

    monkeypatch.setattr(WRITERS, "_added", {"": [broken]})

    assert "perhaps an import is running" in sentence_of(failure("locked", sqlstate="55P03"))


@pytest.mark.django_db
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_command_ends_in_one_sentence(command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: BaseCommand, *args: Any, **options: Any) -> None:
        raise failure("disk full\nDETAIL: none", sqlite_errorcode=sqlite3.SQLITE_FULL)

    monkeypatch.setattr(BaseCommand, "execute", fail)

    with pytest.raises(CommandError) as raised:
        call_command(*command)

    assert str(raised.value) == (
        "The database has no room left: nothing was changed. Make room on its disk, and try again. "
        "The database says: disk full DETAIL: none."
    )


def test_every_command_of_ours_does() -> None:
    from django.core.management import get_commands, load_command_class

    ours = {name: app for name, app in get_commands().items() if str(app).startswith("apps.")}
    refused = {"clean_duplicate_history", "clean_old_history", "populate_history"}

    assert [n for n, app in ours.items() if not isinstance(load_command_class(app, n), InOneSentence)] == sorted(
        refused
    )


@pytest.mark.parametrize("number", ["99999999999999999999", "-1", "many", "9" * 5000])
@pytest.mark.parametrize("command", [("changesets", "list"), ("imports", "status")])
def test_a_number_of_rows_that_cannot_be_meant_is_refused(command: tuple[str, ...], number: str) -> None:
    with pytest.raises(CommandError, match="argument --limit"):
        call_command(*command, f"--limit={number}")
