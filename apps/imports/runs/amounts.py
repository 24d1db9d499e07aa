"""How much of imports one person may have at a time: runs that are open, and files that were not imported."""

from django.conf import settings

from apps.changesets.models import Actor
from apps.changesets.text import counted
from apps.imports.models import OPEN, ImportRun, RunStatus
from apps.imports.runs.files import forget_file

_NAMED = 3


def why_not_open(actor: Actor, *, again: ImportRun | None = None) -> str | None:
    """Return why the person may not open one more run, or an ended one again, with what to finish first; or None."""
    most = settings.IMPORTS_OPEN_RUNS
    runs = ImportRun.objects.filter(actor=actor, status__in=OPEN).order_by("pk")
    if again is not None:
        runs = runs.exclude(pk=again.pk)
    if actor is None or runs.count() < most:
        return None
    return f"One person may have {counted(most, 'open import')} at a time: {_first(list(runs[:_NAMED]))}."


def why_not_keep(actor: Actor, size: int) -> str | None:
    """Return why no file of this size is kept for the person, or None.

    Files of runs that failed or were cancelled make room for it, the oldest first.
    """
    if actor is None:
        return None
    most = settings.IMPORTS_KEPT_BYTES
    kept = list(
        ImportRun.objects.filter(actor=actor).exclude(kept_as="").exclude(status=RunStatus.APPLIED).order_by("pk")
    )
    total = size + sum(run.file_size for run in kept)
    opened = [run for run in kept if run.status in OPEN]
    for run in [run for run in kept if run.status not in OPEN]:
        if total <= most:
            break
        forget_file(run)
        total -= run.file_size
    if total <= most:
        return None
    sentence = f"Of files that one person did not import yet, {most // 2**20:,} MB are kept at a time: "
    return sentence + (f"{_first(opened[:_NAMED])}." if opened else "upload a smaller file.")


def _first(runs: list[ImportRun]) -> str:
    return f"finish or cancel {', '.join(map(str, runs))} first"
