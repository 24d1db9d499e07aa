"""The journal: what was restored, when, by whom and how it ended, in a file that no restored database can erase."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from apps.backups.catalogue.folder import backup_folder, open_folder, sync_file

JOURNAL = "journal.jsonl"


def journal_file() -> Path:
    """Return where the journal is, whether it is there or not."""
    return backup_folder() / JOURNAL


def note(**details: Any) -> None:
    """Append one line to the journal; it is on the disk when this returns."""
    folder = open_folder()
    new = not journal_file().exists()
    # To the microsecond, as manifests say when a backup was made: which came first is asked of the two.
    at = datetime.now(tz=UTC).isoformat(timespec="microseconds")
    line = json.dumps({"at": at, **details}, ensure_ascii=False) + "\n"
    descriptor = os.open(journal_file(), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        # What a power cut left half written must not swallow this line.
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
