"""The journal of restores (when, who, what, result), in a file that no restore can erase."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from apps.backups.catalogue.folder import backup_folder, open_folder
from apps.changesets.processes.private_storage import sync_file

JOURNAL = "journal.jsonl"


def journal_file() -> Path:
    """Return the path of the journal, which may not exist."""
    return backup_folder() / JOURNAL


def note(**details: Any) -> None:
    """Append one line to the journal; it is on the disk when this returns."""
    folder = open_folder()
    new = not journal_file().exists()
    # With microseconds, as in manifests: the times of both are compared.
    at = datetime.now(tz=UTC).isoformat(timespec="microseconds")
    line = json.dumps({"at": at, **details}, ensure_ascii=False) + "\n"
    descriptor = os.open(journal_file(), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        # A line that a power cut left unfinished must not swallow this one.
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            line = f"\n{line}"
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if new:
        sync_file(folder)


def read_journal() -> list[dict[str, Any]]:
    """Return the lines of the journal, newest first; a line that cannot be read is left out."""
    try:
        lines = journal_file().read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    entries = []
    for line in reversed(lines):
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            entries.append(entry)
    return entries
