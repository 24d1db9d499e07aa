"""The map of a plan, a page of its own: what would be added, moved and changed, and what the file lacks."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.db.models import CharField, Max, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Cast, NullIf
from django.http import Http404, HttpRequest, HttpResponse

from apps.changesets.history.cache import remembered, state_of_tables
from apps.changesets.history.changeset_map import ADDED, CHANGED, DELETED, MOVED, place_of, point_of
from apps.changesets.history.maps import FINE, MOST, Addresses, Group, PackedMap, Point, pack
from apps.changesets.pages import links
from apps.changesets.pages.maps import MapFigure, addresses_of, map_answer, named_moves
from apps.changesets.tracking import Tracked, tracked_for
from apps.imports.models import ImportRun, PlannedRow, RowKind, RunStatus
from apps.imports.pages.addresses import page_url, run_url
from apps.imports.registry import spec_named

# It takes the place of what a changeset deleted.
MISSING = DELETED
# (kind, label, colour) by the number of the group; what moves is among what changes.
GROUPS = {
    ADDED: (RowKind.NEW, "new", "added"),
    MISSING: (RowKind.MISSING, "missing from the file", "missing"),
    MOVED: (RowKind.CHANGED, "would move 100 m or more", "moved"),
    CHANGED: (RowKind.CHANGED, "would change in other ways", "kept"),
}


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


def tracked_of(run: ImportRun) -> Tracked | None:
    """Return what the run is about, if it stands on a map."""
    tracked = tracked_for(spec_named(run.spec).model)
    return tracked if tracked.point else None


def map_of_plan(run: ImportRun, tracked: Tracked, *, rows_url: str, addresses: Addresses) -> PackedMap:
    """Return the map of what the plan of a run would do; `rows_url` is the page with its rows. One query."""
    order = (ADDED, MISSING, MOVED, CHANGED)
    groups = [
        Group(
            str(kind),
            label,
            colour,
            f"{rows_url}?bucket={kind}#rows-title",
            f"{rows_url}?bucket={kind}&q=KEY#rows-title",
        )
        for kind, label, colour in (GROUPS[number] for number in order)
    ]
    points, left_out = [], 0
    for number, point in enumerate(planned_points(run, tracked)):
        if number < MOST:
            points.append(point._replace(group=order.index(point.group)))
        else:
            left_out += 1
    return pack(groups, points, addresses=addresses, scale=FINE, left_out=left_out)


def planned_points(run: ImportRun, tracked: Tracked) -> Iterator[Point]:
    """Yield what the plan would do as points; what has no place is left out."""
    fields = [tracked.fields_by_column[column].name for column in tracked.point_columns]
    for kind, old_pk, new_pk, changes, *places in _rows(run, tracked, fields).iterator(chunk_size=5000):
        own, upstream, now = places[:2], places[2:4], places[4:]
        live = place_of(*now)
        key = str(new_pk or old_pk)
        if kind == RowKind.NEW:
            place = (value if value is not None else fallback for value, fallback in zip(own, upstream, strict=True))
            point = point_of(key, True, False, None, place_of(*place))
        elif kind == RowKind.CHANGED:
            became = ((changes or {}).get(field, [None, value])[1] for field, value in zip(fields, now, strict=True))
            point = point_of(key, False, False, live, place_of(*became))
        else:
            point = None if live is None else Point(MISSING, key, *live)
        if point is not None:
            yield point


def _rows(run: ImportRun, tracked: Tracked, fields: list[str]) -> QuerySet:
    """The rows that do something: what the file says of the place, what upstream does, and where the object is now."""
    pk = tracked.model._meta.pk
    named: Any = OuterRef("old_pk")
    if not isinstance(pk, CharField):
        named = Cast(NullIf(named, Value("")), output_field=type(pk)())
    live = tracked.model._base_manager.filter(pk=named)
    rows = PlannedRow.objects.filter(run=run, kind__in=(RowKind.NEW, RowKind.CHANGED, RowKind.MISSING))
    now = {f"{field}_now": Subquery(live.values(field)) for field in fields}
    return (
        rows.order_by()
        .annotate(**now)
        .values_list(
            "kind",
            "old_pk",
            "new_pk",
            "changes",
            *(f"payload__values__{field}" for field in fields),
            *(f"payload__upstream__{field}" for field in fields),
            *now,
        )
    )
