"""How many rows a run is about: those that it would change, and about how many its file has."""

import gzip

from apps.imports.models import Decision, ImportRun, Operation
from apps.imports.runs.files import storage

_SAMPLE = 256 * 1024
_NOT_LINES = (b"\x1f\x8b", b"PK", b"[", b"{")


def changed_rows(run: ImportRun) -> int:
    """Return how many objects the plan creates, changes or removes; what people decided to take counts, too."""
    counts = run.counts or {}
    # Superseded objects are deleted, and are among the missing to change where those are deleted anyway.
    gone = max(counts.get("missing_to_change", 0), counts.get("superseded", 0))
    taken = run.rows.filter(decision=Decision.TAKE).exclude(operation__in=[Operation.NEW, Operation.CHANGED]).count()
    return counts.get("created", 0) + counts.get("updated", 0) + gone + taken


def estimate_rows(run: ImportRun) -> int | None:
    """Return about how many rows the kept file of a run has, told from its beginning; None where that tells nothing."""
    if not run.kept_as or not storage().exists(run.kept_as):
        return None
    with storage().open(run.kept_as, "rb") as packed, gzip.open(packed, "rb") as plain:
        start = plain.read(_SAMPLE)
    lines = start.count(b"\n")
    if not lines or start.startswith(_NOT_LINES):
        return None
    return max(round(run.file_size * lines / len(start)) - 1, 1)
