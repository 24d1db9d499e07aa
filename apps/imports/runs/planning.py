"""Planning a run: its kept file is compared with the live rows, and what it would do is stored for people to review."""

from django.db import DatabaseError
from django.utils import timezone

from apps.imports.errors import ImportFailure, RunCancelled
from apps.imports.models import ImportRun, RunStatus
from apps.imports.plan.plan import plan_import
from apps.imports.plan_checks import look_at
from apps.imports.reading.rows import Reading
from apps.imports.registry import spec_named
from apps.imports.results import ImportOptions, Progress, quiet
from apps.imports.runs.files import kept_file
from apps.imports.runs.states import claim, end, fail, move
from apps.imports.runs.storing import store_plan


def plan_run(run: ImportRun, *, progress: Progress | None = None) -> None:
    """Plan an uploaded run and store its rows; it is planned then, or failed with a sentence. Writes no tracked table.

    `progress` is told the phase and how many rows it has done, and stops the planning by raising RunCancelled. Raises
    RunRefused when the run is not waiting to be planned.
    """
    progress = progress or quiet
    claim(run, RunStatus.UPLOADED, RunStatus.PLANNING)
    planned_at = timezone.now()
    try:
        with kept_file(run) as source:
            plan = plan_import(
                source,
                spec=spec_named(run.spec),
                options=ImportOptions.from_json(run.options),
                how=Reading(**run.how),
                progress=progress,
            )
        try:
            store_plan(plan, run, progress=progress)
            progress("look", 0)
            checks = look_at(plan.staging)
        finally:
            plan.discard()
    except RunCancelled:
        end(run, RunStatus.CANCELLED)
    except (ImportFailure, DatabaseError) as error:
        fail(run, error, progress)
    except BaseException as error:
        fail(run, error, progress)
        raise
    else:
        counts = {**plan.counts.as_dict(), "missing_to_change": plan.missing_to_change}
        summary = {**plan.figures(), "checks": checks, "planned_at": planned_at.isoformat()}
        move(run, RunStatus.PLANNED, counts=counts, summary=summary)
        run.refresh_from_db()
