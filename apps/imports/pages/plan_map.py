"""The map of a plan, a page of its own: what would appear, move and change, and what the file lacks."""

from functools import partial
from typing import Any

from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse

from apps.changesets.history.cache import remembered, state_of_tables
from apps.changesets.history.maps import PackedMap
from apps.changesets.pages import links
from apps.changesets.pages.maps import MapFigure, addresses_of, map_answer, named_moves
from apps.changesets.tracking import Tracked
from apps.imports.models import ImportRun, PlannedRow, RunStatus
from apps.imports.pages.addresses import page_url, run_url
from apps.imports.runs.map_rows import map_of_plan, tracked_of


def plan_map_context(run: ImportRun) -> dict[str, Any]:
    """Return what the page of a plan's map shows."""
    tracked = _tracked(run)
    packed = _packed(run, tracked, _state(run))
    title = f"{tracked.model._meta.verbose_name_plural} of this plan".capitalize()
    return {
        "title": f"Import of {run.file_name} on the map",
        "subtitle": None,
        "run": run,
        "run_url": run_url(run),
        "model": tracked.model._meta,
        "groups": packed.counted,
        "farthest": named_moves(tracked, packed.farthest, partial(_row_url, run)),
        "map": MapFigure(title, [("Kind of change", page_url(run, "map_data"))], fit=True),
    }


def plan_map_data(request: HttpRequest, run: ImportRun) -> HttpResponse:
    """Answer with the points of the map of a plan."""
    tracked = _tracked(run)
    state = _state(run)
    return map_answer(request, f"plan-{run.pk}", state, lambda: _map(run, tracked))


def map_of_run_url(run: ImportRun) -> str:
    """Return the address of the map of a plan, or of what the run did; nothing where there is none."""
    if tracked_of(run) is None:
        return ""
    if run.status == RunStatus.PLANNED:
        return page_url(run, "map")
    return links.changeset_map_url(run.changeset_id) if run.changeset_id else ""


def _state(run: ImportRun) -> str:
    """What the map is drawn from: the tables, and the rows of the plan, which are others when it is planned again."""
    newest = PlannedRow.objects.filter(run=run).aggregate(newest=Max("pk"))["newest"]
    return f"{state_of_tables()}-{newest}"


def _packed(run: ImportRun, tracked: Tracked, state: str) -> PackedMap:
    return remembered(f"map-plan-{run.pk}", state, lambda: _map(run, tracked))


def _map(run: ImportRun, tracked: Tracked) -> PackedMap:
    return map_of_plan(run, tracked, rows_url=run_url(run), addresses=addresses_of(tracked.model))


def _tracked(run: ImportRun) -> Tracked:
    tracked = tracked_of(run)
    if tracked is None or run.status != RunStatus.PLANNED:
        raise Http404("This import has no plan that could be drawn.")
    return tracked


def _row_url(run: ImportRun, key: str) -> str:
    return f"{run_url(run)}?bucket=changed&q={key}#rows-title"
