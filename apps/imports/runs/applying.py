"""Applying a run: exactly what its stored plan says, in one changeset; what moved since is named and left alone."""

from django.db import DatabaseError, connections
from django.utils import timezone

from apps.changesets.context import Source, changeset
from apps.changesets.errors import ChangesetError
from apps.changesets.hooks import Coming, prepare
from apps.changesets.models import Changeset, Kind
from apps.imports.errors import ImportFailure, RunCancelled
from apps.imports.mapping.layout import effective, layout_of
from apps.imports.models import ImportRun, RunStatus
from apps.imports.plan.apply import lock_tables, write
from apps.imports.plan.complete import complete
from apps.imports.plan.merge import create_views
from apps.imports.plan_checks import beyond_limits, require_within_limits
from apps.imports.registry import spec_named
from apps.imports.results import ImportOptions, Progress, quiet
from apps.imports.runs.loading import load_plan
from apps.imports.runs.skipped import leave_moved
from apps.imports.runs.states import claim, end, fail, move
from apps.imports.staging.tables import Staging


def apply_run(run: ImportRun, *, progress: Progress | None = None) -> Changeset | None:
    """Write what the confirmed run's stored plan says; returns its changeset, None when nothing was to be changed.

    The run is applied in the same transaction; otherwise it is failed or cancelled, and nothing was written. `progress`
    is told the phase and stops it by raising RunCancelled. Raises RunRefused when the run is not waiting to be applied.
    """
    progress = progress or quiet
    claim(run, RunStatus.APPROVED, RunStatus.RUNNING)
    staging = _staging_of(run, progress)
    try:
        staging.create()
        create_views(staging)
        progress("load", 0)
        progress("load", load_plan(run, staging))
        progress("back up", 0)
        using = staging.connection.alias
        prepare(Coming(Kind.IMPORT, run.confirmed_by or run.actor, f"import {run.pk} of {run.file_name}", using))
        return _write(run, staging, progress)
    except RunCancelled:
        end(run, RunStatus.CANCELLED)
    except (ImportFailure, ChangesetError, DatabaseError) as error:
        fail(run, error, progress)
    except BaseException as error:
        fail(run, error, progress)
        raise
    finally:
        staging.drop()
    return None


def _staging_of(run: ImportRun, progress: Progress, using: str = "default") -> Staging:
    spec = spec_named(run.spec)
    options = effective(ImportOptions.from_json(run.options), run.header, spec)
    layout = layout_of(run.header, spec, options=options, name=run.file_name)
    return Staging(connection=connections[using], layout=layout, options=options, progress=progress)


def _write(run: ImportRun, staging: Staging, progress: Progress) -> Changeset | None:
    actor = run.confirmed_by or run.actor
    source = Source(name=run.file_name, sha256=run.file_sha256, size=run.file_size)
    using = staging.connection.alias
    with changeset(kind=Kind.IMPORT, actor=actor, reason=run.reason, source=source, using=using) as opened:
        try:
            progress("lock", 0)
            lock_tables(staging)
            progress("check", 0)
            left_alone = leave_moved(run, staging)
            complete(staging)
            links = staging.spec.linker.plan(staging) if staging.spec.linker else {}
            require_within_limits(beyond_limits(staging), past=bool((run.summary or {}).get("past_limits")))
            write(staging)
            progress("record", 0)
        except DatabaseError:
            # Where a statement was interrupted because somebody cancelled, this says so instead.
            progress("stop", 0)
            raise
        counts = {**(run.counts or {}), **links, "left_alone": left_alone}
        opened.summary = {**(run.summary or {}), "counts": counts, "run": run.pk}
        ended = {"finished_at": timezone.now(), "lock": None}
        move(run, RunStatus.APPLIED, changeset=opened, counts=counts, **ended)
    run.refresh_from_db()
    if opened.pk is None:
        return None
    return opened
