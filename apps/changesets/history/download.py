"""Changes as CSV and JSON, a part at a time, for files and for other programs."""

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from apps.changesets.history.diff import Change
from apps.changesets.text import csv_parts

HEADER = ("model", "operation", "pk", "old_pk", "field", "old", "new")


def as_csv(changes: Iterable[Change], *, not_shown: str = "") -> Iterator[str]:
    """Yield the changes as CSV, a line for each field, safe for spreadsheets.

    The last line says what is `not_shown`, where something is not.
    """
    rows = (
        (change.model, change.operation, change.pk, change.old_pk, field.name, field.old, field.new)
        for change in changes
        for field in change.fields
    )
    return csv_parts(chain([HEADER], rows, [[not_shown]] if not_shown else []))


def as_json(changes: Iterable[Change], *, raw: bool = False, not_shown: str = "") -> Iterator[str]:
    """Yield the changes as one JSON array, a line for each object; `raw` gives values as stored, links by key.

    The last entry says what is `not_shown`, where something is not.
    """
    separator = "["
    for change in changes:
        yield separator + "\n" + json.dumps(_change_as_json(change, raw=raw), default=str)
        separator = ","
    if not_shown:
        yield separator + "\n" + json.dumps({"not_shown": not_shown})
        separator = ","
    yield "[]\n" if separator == "[" else "\n]\n"


def _change_as_json(change: Change, *, raw: bool) -> dict[str, Any]:
    return {
        "model": change.model,
        "operation": change.operation,
        "pk": change.pk,
        "old_pk": change.old_pk,
        "fields": {field.name: list(field.raw) if raw else [field.old, field.new] for field in change.fields},
    }
