"""Playing a dump of PostgreSQL into an open transaction, so that a whole restore is one transaction."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from apps.backups.errors import BackupUnreadable, DumpFailed

_PART_BYTES = 1 << 18


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
    message = next((line.strip().rstrip(".") for line in complaints.splitlines() if line.strip()), "it gave no word")
    return BackupUnreadable(
        f"pg_restore cannot read the backup {source.name}: {message}. Nothing was restored; choose another one."
    )


def play(script: IO[bytes], cursor: Any) -> None:
    """Run a script of pg_restore's, rows included, on the cursor of an open transaction, in flat memory."""
    statements: list[bytes] = []
    for line in script:
        if line.startswith(b"COPY ") and line.endswith(b" FROM stdin;\n"):
            _run(statements, cursor)
            with cursor.copy(line.decode().rstrip(";\n")) as copy:
                for part in rows_of(script):
                    copy.write(part)
        # These commands guard psql against an altered script; here psql does not run.
        elif not line.startswith((b"\\restrict ", b"\\unrestrict ")):
            statements.append(line)
    _run(statements, cursor)


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


def _run(statements: list[bytes], cursor: Any) -> None:
    if any(line.strip() and not line.startswith(b"--") for line in statements):
        cursor.execute(b"".join(statements).decode())
    statements.clear()
