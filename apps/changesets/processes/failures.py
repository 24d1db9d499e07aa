"""What a failure of the database means: its cause, one sentence for a person, and who is writing meanwhile."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum
from typing import Any

from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone

from apps.changesets.hooks import WRITERS
from apps.changesets.processes.progress import board, entry

logger = logging.getLogger(__name__)
# Everything that the database, or the way to it, may answer.
FAILURES = (DatabaseError, InterfaceError)


class Cause(StrEnum):
    """Why the database did not do what it was asked."""

    BUSY = "busy"
    THROWN_OUT = "thrown out"
    UNREACHABLE = "unreachable"
    READ_ONLY = "read-only"
    FULL = "full"
    NOT_MIGRATED = "not migrated"
    DAMAGED = "damaged"
    OTHER = "other"

    @property
    def passes(self) -> bool:
        """Whether the same may work a little later, with nothing mended."""
        return self in (Cause.BUSY, Cause.THROWN_OUT, Cause.UNREACHABLE)


# The beginnings of PostgreSQL's SQLSTATE.
_STATES = {
    "55P03": Cause.BUSY,
    **dict.fromkeys(("40001", "40P01"), Cause.THROWN_OUT),
    **dict.fromkeys(("08", "28", "3D", "57P", "53300"), Cause.UNREACHABLE),
    **dict.fromkeys(("25006", "42501"), Cause.READ_ONLY),
    **dict.fromkeys(("53",), Cause.FULL),
    **dict.fromkeys(("42P01", "42703", "3F000"), Cause.NOT_MIGRATED),
    **dict.fromkeys(("XX001", "XX002", "58"), Cause.DAMAGED),
}
# SQLite's result codes: https://www.sqlite.org/rescode.html
_CODES = {
    **dict.fromkeys((5, 6), Cause.BUSY),
    14: Cause.UNREACHABLE,
    **dict.fromkeys((3, 8, 23), Cause.READ_ONLY),
    13: Cause.FULL,
    **dict.fromkeys((10, 11, 26), Cause.DAMAGED),
}
# What says it where there is no code: the driver's own words, on the way to the database above all.
_WORDS = {
    "No space left on device": Cause.FULL,
    "locked": Cause.BUSY,
    "no such table": Cause.NOT_MIGRATED,
    "no such column": Cause.NOT_MIGRATED,
    "has no column": Cause.NOT_MIGRATED,
    "connect": Cause.UNREACHABLE,
    "closed": Cause.UNREACHABLE,
}
_SENTENCES = {
    Cause.BUSY: "Somebody else is writing right now, {who}: nothing was changed. Try again in a minute.",
    Cause.THROWN_OUT: "Somebody else was writing and came first, {who}: nothing was changed. Try again.",
    Cause.UNREACHABLE: "The database cannot be reached, or went away: nothing is half done. Check that it runs, and "
    "that DATABASE_URL names it; then try again.",
    Cause.READ_ONLY: "The database does not let the console write: nothing was changed. Give its user, or its file and "
    "folder, the right to write.",
    Cause.FULL: "The database has no room left: nothing was changed. Make room on its disk, and try again.",
    Cause.NOT_MIGRATED: "The database lacks a table or column of the console: nothing was changed. Run "
    "`python manage.py migrate`.",
    Cause.DAMAGED: "The database is damaged, or is no database: nothing was changed. Check DATABASE_URL and the disk; "
    "`python manage.py backup list` shows what can be restored.",
    Cause.OTHER: "The database refused what the console asked for: nothing was changed.",
}


def cause_of(error: BaseException | None) -> Cause:
    """Return why the database failed; OTHER too for what is no failure of the database."""
    if not isinstance(error, FAILURES):
        return Cause.OTHER
    driver = error.__cause__
    if state := getattr(driver, "sqlstate", None):
        # The longest beginning that is known decides.
        return next((_STATES[state[:size]] for size in (5, 3, 2) if state[:size] in _STATES), Cause.OTHER)
    if (code := getattr(driver, "sqlite_errorcode", None)) and (known := _CODES.get(code & 0xFF)):
        return known
    return next((cause for word, cause in _WORDS.items() if word in str(error)), Cause.OTHER)


def sentence_of(error: BaseException | None, *, cause: Cause | None = None) -> str:
    """Return what happened and what to do, for a person."""
    cause = cause or cause_of(error)
    who = who_writes() if "{who}" in _SENTENCES[cause] else ""
    return _SENTENCES[cause].format(who=who or "perhaps an import is running")


def words_of(error: BaseException) -> str:
    """Return the database's own words in one line."""
    return " ".join(str(refusal_of(error)).split("\nCONTEXT:")[0].split()).rstrip(".")


def constraint_of(error: BaseException) -> str:
    """Return the name of the constraint that a write broke, or else what the database says is broken."""
    diagnosis = getattr(error.__cause__, "diag", None)
    if name := getattr(diagnosis, "constraint_name", None) or getattr(diagnosis, "column_name", None):
        return str(name)
    return words_of(error).rpartition("constraint failed: ")[2].removeprefix("index ").strip("'")


def refusal_of(error: BaseException) -> BaseException:
    """Return why nobody can connect where the pool says only that it waited; any other error is returned."""
    if type(error.__cause__).__name__ != "PoolTimeout":
        return error
    connection: Any = connections["default"]
    try:
        # The database says it to who comes without the pool.
        with connection.wrap_database_errors:
            connection.Database.connect(**connection.get_connection_params() | {"connect_timeout": 3}).close()
    except FAILURES as refusal:
        return refusal
    return error


def sentence_with_words(error: BaseException) -> str:
    """Return what happened, what to do, and the database's own words, for somebody at a terminal."""
    return f"{sentence_of(error)} The database says: {words_of(error)}."


def who_writes() -> str:
    """Return who is writing whole tables just now, as far as anybody says so: "a revert by stan since 14:02"."""
    return next(_writers(), "")


def _writers() -> Iterator[str]:
    for writer in WRITERS.of():
        # Who cannot be asked, in a broken transaction above all, says nothing.
        with suppress(*FAILURES):
            if words := writer():
                yield words
    with suppress(OSError):
        if note := board().get(entry("writer")):
            yield note


def note_writer(act: str, name: str) -> None:
    """Let those who wait know that this act of this person (empty for a job) writes whole tables."""
    by = f" by {name}" if name else ""
    with suppress(OSError):
        # Whoever dies meanwhile is named for some minutes, and only to those who wait in vain.
        board().set(entry("writer"), f"{act}{by} since {timezone.localtime():%H:%M}", 300)


def forget_writer() -> None:
    """Forget who was writing whole tables."""
    with suppress(OSError):
        board().delete(entry("writer"))
