"""Planning again: other columns or options for the same kept file, before anything was written."""

from collections.abc import Mapping
from typing import Any

from apps.imports.errors import RunRefused
from apps.imports.models import ImportRun, PlannedRow, RefusedCell, RunStatus
from apps.imports.results import ImportOptions
from apps.imports.runs.confirming import may_decide

_BEFORE_CONFIRMING = (RunStatus.UPLOADED, RunStatus.PLANNED, RunStatus.FAILED, RunStatus.CANCELLED)


def set_options(run: ImportRun, options: ImportOptions, *, actor: Any) -> ImportRun:
    """Give a run that nobody has confirmed other options, and put it back to be planned; its old plan is forgotten.

    Raises RunRefused when the person may not, the file is gone, or the run is further already.
    """
    if why := may_decide(actor, run):
        raise RunRefused(why)
    if command := (run.summary or {}).get("command"):
        raise RunRefused(f"{run} was started by the command {command}: run that again.")
    if not run.kept_as:
        raise RunRefused(f"{run.file_name} is not kept any more: upload it again.")
    mapping: Mapping[str, str] | None = options.mapping
    values = {
        "status": RunStatus.UPLOADED,
        "options": options.as_json(),
        "mapping": dict(mapping) if mapping is not None else None,
        "counts": None,
        "error": "",
        "started_at": None,
        "finished_at": None,
        "start_at": None,
    }
    if not ImportRun.objects.filter(pk=run.pk, status__in=_BEFORE_CONFIRMING).update(**values):
        run.refresh_from_db()
        raise RunRefused(f"{run} is {run.get_status_display().lower()}: it cannot be planned again.")
    PlannedRow.objects.filter(run=run).delete()
    RefusedCell.objects.filter(run=run).delete()
    run.refresh_from_db()
    return run
