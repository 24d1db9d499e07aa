"""Playing a dump of PostgreSQL into an open transaction, so that a whole restore is one transaction."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any, cast

from apps.backups.errors import BackupUnreadable, DumpFailed, objects_refused
from apps.changesets.recording import is_of_recording

_PART_BYTES = 1 << 18
# A line of the list of an archive: number, two identifiers, type, schema, name, owner.
_ENTRY = re.compile(
    r"\d+; \d+ \d+ (?P<type>TABLE DATA|TABLE|SEQUENCE OWNED BY|SEQUENCE SET|SEQUENCE|DEFAULT ACL|DEFAULT|INDEX|ACL"
    r"|CHECK CONSTRAINT|FK CONSTRAINT|CONSTRAINT|COMMENT|SCHEMA|EXTENSION|FUNCTION|TRIGGER) (?P<schema>\S+)"
    r" (?P<name>.+) \S*"
)
# Not played: nothing of ours needs it.
_PASSED_OVER = ("COMMENT", "SCHEMA", "EXTENSION", "DEFAULT ACL")
# The statements that make our tables and fill them: none calls a function, or changes who acts.
_SETTINGS = (
    r"((statement|lock|idle_in_transaction_session|transaction)_timeout|client_encoding|standard_conforming_strings"
    r"|check_function_bodies|xmloption|client_min_messages|row_security|default_tablespace|default_table_access_method)"
)
_CALLS = r"SELECT pg_catalog\.(set_config\('search_path', '', false\)|setval\('[^']+', \d+, (true|false)\));\n"
_MAKES = r"(CREATE (TABLE|SEQUENCE|INDEX|UNIQUE INDEX)|ALTER (TABLE|SEQUENCE)|GRANT|REVOKE) "
_PLAYED = re.compile(rf"SET {_SETTINGS} = |{_CALLS}|{_MAKES}")


@contextmanager
def list_to_play(program: str, source: Path) -> Iterator[Path]:
    """Give a file with the list of what is played of an archive; the recording, which is made anew, is not in it.

    Raises ObjectsRefused where the archive has anything that our databases do not have, and BackupUnreadable.
    """
    with script_of(program, source, "--list") as listed:
        lines = [line.decode(errors="replace") for line in listed if not line.startswith(b";") and line.strip()]
    with NamedTemporaryFile("w", suffix=".list") as file:
        file.writelines(line for line in lines if _is_played(source, line.rstrip("\n")))
        file.flush()
        yield Path(file.name)


def _is_played(source: Path, line: str) -> bool:
    entry = _ENTRY.fullmatch(line)
    if entry is None:
        raise objects_refused(source.name, line.partition("; ")[2])
    if entry["type"] not in ("FUNCTION", "TRIGGER"):
        # Rights to functions come with the functions, which are made anew.
        of_function = entry["type"] == "ACL" and entry["name"].startswith("FUNCTION ")
        return entry["type"] not in _PASSED_OVER and not of_function
    # A trigger is named after its table, a function before its arguments.
    name = entry["name"].split(" ")[-1] if entry["type"] == "TRIGGER" else entry["name"].partition("(")[0]
    if not is_of_recording(name):
        raise objects_refused(source.name, f"{entry['type'].lower()} {name}")
    return False


@contextmanager
def script_of(program: str, source: Path, *options: str) -> Iterator[IO[bytes]]:
    """Give the dump as SQL, as pg_restore writes it; raises BackupUnreadable when it cannot be read to its end."""
    with subprocess.Popen(  # noqa: S603 - a program of PostgreSQL's, and options that nobody types
        [program, *options, "--file=-", str(source)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=_PART_BYTES,
    ) as reading:
        script, complaining = cast(IO[bytes], reading.stdout), cast(IO[bytes], reading.stderr)
        try:
            yield script
        except BaseException:
            reading.kill()
            raise
        complaints = complaining.read().decode(errors="replace")
    if reading.returncode:
        raise unreadable(source, complaints)


def unreadable(source: Path, complaints: str) -> BackupUnreadable:
    """Return the error for a file that pg_restore cannot read."""
    message = next((line.strip().rstrip(".") for line in complaints.splitlines() if line.strip()), "it said nothing")
    return BackupUnreadable(
        f"pg_restore cannot read the backup {source.name}: {message}. Nothing was restored; choose another one."
    )


def play(script: IO[bytes], cursor: Any) -> None:
    """Run a script of pg_restore's, rows included, on the cursor of an open transaction, in flat memory."""
    statement: list[bytes] = []
    for line in script:
        if not statement and line.startswith(b"COPY ") and line.endswith(b" FROM stdin;\n"):
            with cursor.copy(line.decode().rstrip(";\n")) as copy:
                for part in rows_of(script):
                    copy.write(part)
        # These commands guard psql against an altered script; here psql does not run.
        elif line.strip() and not line.startswith((b"--", b"\\restrict ", b"\\unrestrict ")):
            statement.append(line)
            if line.endswith(b";\n"):
                _run(b"".join(statement).decode(), cursor)
                statement.clear()


def rows_of(script: IO[bytes]) -> Iterator[bytes]:
    """Yield the rows that follow a COPY, in parts; the script is read to their end."""
    part: list[bytes] = []
    size = 0
    for line in script:
        if line == b"\\.\n":
            yield b"".join(part)
            return
        part.append(line)
        size += len(line)
        if size > _PART_BYTES:
            yield b"".join(part)
            part, size = [], 0
    raise DumpFailed("pg_restore ended within the rows of a table: nothing was restored. The backup is damaged.")


def _run(statement: str, cursor: Any) -> None:
    if not _PLAYED.match(statement) or ";" in statement.rstrip()[:-1]:
        raise objects_refused("archive", statement.strip()[:80])
    cursor.execute(statement)
