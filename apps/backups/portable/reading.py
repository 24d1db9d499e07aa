"""Reading the lines of a portable backup; a damaged file is refused with one sentence."""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from apps.backups.errors import BackupUnreadable

Numbered = tuple[int, dict[str, Any]]


def read_lines(source: Path) -> Iterator[Numbered]:
    """Yield each line of the file with its number, in flat memory; raises BackupUnreadable."""
    number = 0
    try:
        with gzip.open(source, "rb") as stream:
            for number, line in enumerate(stream, 1):
                document = json.loads(line)
                if not isinstance(document, dict):
                    raise ValueError("no object")
                yield number, document
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise damaged(source, f"after line {number:,} it is cut off or damaged ({error})") from error
    except (ValueError, RecursionError) as error:
        raise damaged(source, f"line {number:,} is no row of a table") from error


def fields_in(source: Path) -> dict[str, list[str]]:
    """Return the names of the fields that the file has of each model, by label."""
    names: dict[str, list[str]] = {}
    for _, line in read_lines(source):
        if "fields" in line and line["model"] not in names:
            names[line["model"]] = list(line["fields"])
    return names


def check_whole(source: Path) -> None:
    """Raise BackupUnreadable unless the file can be unpacked to its end and begins like a portable backup."""
    with gzip.open(source, "rb") as stream:
        try:
            while stream.read(1 << 20):
                pass
        except (EOFError, OSError, zlib.error) as error:
            raise damaged(source, f"it is cut off or damaged ({error})") from error
    for _ in read_lines(source):
        return


def damaged(source: Path, why: str) -> BackupUnreadable:
    """Return the error for a damaged file."""
    return BackupUnreadable(
        f"The backup {source.name} cannot be read: {why}. Nothing was restored; choose another one, or bring the file "
        "back from a copy."
    )
