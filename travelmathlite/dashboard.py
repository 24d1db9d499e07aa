"""The dashboard: the first page of the admin, composed from all apps for one person."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse

from apps.airports.models import Airport
from apps.airports.pages.map import map_url, types_shown
from apps.changesets.fields import field_of
from apps.changesets.history.cache import reading_alias, state_of_tables
from apps.changesets.models import Changeset, Status
from apps.changesets.pages import links
from apps.changesets.pages.maps import MapFigure
from apps.changesets.rights import Sees, eyes_of, may_view
from apps.changesets.tracking import tracked_models
from apps.imports.models import OPEN, ImportRun
from apps.imports.pages.addresses import run_url, upload_url
from apps.imports.pages.run import import_links
from apps.imports.pages.status import WATCHED, state_of
from apps.imports.runs.confirming import why_not_decide, why_not_see
from apps.quality import figures
from apps.quality.coverage import Coverage
from apps.quality.findings import by_severity
from apps.quality.pages.addresses import ACCEPT as ACCEPT_FINDINGS
from apps.quality.pages.addresses import VIEW as VIEW_FINDINGS
from apps.quality.pages.addresses import findings_url
from apps.quality.rules import SIGNS
from apps.quality.tallies import Counted, known_counted, newest_counted
from travelmathlite.charts import Chart, coverage_chart, findings_chart, growth_chart
from travelmathlite.health import Part, look_at_parts
from travelmathlite.to_do import backup_state, to_do

VIEW_BACKUPS = "backups.view_backups"
# The parts that no other card tells of, and where somebody who may see it looks next: permission, page, words.
PARTS = ("recording", "worker", "disk", "runs")
NEXT = {
    "disk": (VIEW_BACKUPS, "admin:backups_backup_changelist", "See the backups"),
    "runs": ("imports.view_importrun", "admin:imports_importrun_changelist", "See the imports"),
}
AIRPORT = Airport._meta.label_lower
MOST_RUNS = 5


@dataclass(frozen=True)
class RunShown:
    """A run that waits for a person or a worker."""

    run: ImportRun
    url: str
    cancel_url: str
    progress: dict[str, Any] | None


def dashboard_of(request: HttpRequest) -> dict[str, Any]:
    """Return the context of the dashboard for a person; data that they may not see is not queried."""
    using = reading_alias()
    state = state_of_tables(using=using)
    models = shown_models()
    seen = [model for model in models if may_view(request.user, model)]
    context: dict[str, Any] = {"upload_links": _import_links(request, models), "runs": runs_shown(request)}
    if seen:
        labels = [model._meta.label_lower for model in seen]
        moves = figures.newest_moves(labels, using=using)
        known = figures.amounts(
            [model._meta.label_lower for model in models], moves, state=state, since=figures.a_week_ago(), using=using
        )
        shown = [amount for amount in known if amount.label in labels]
        context["amounts"] = [(amount, links.list_url(apps.get_model(amount.label))) for amount in shown]
        if Airport in seen:
            number = next(amount.number for amount in shown if amount.label == AIRPORT)
            context |= _airports(request, number)
            context["charts"] = [growth_chart(figures.growth(AIRPORT, number, moves))]
    if Airport in seen:
        context["coverage"] = _coverage(figures.coverage_now(state=state, using=using))
    context["more_charts"] = _charts(request, see_links=Airport in seen, using=using)
    backup = backup_state(request) if request.user.has_perm(VIEW_BACKUPS) else None
    context |= {"backup": backup, "to_do": to_do(request, backup)}
    if request.user.has_perm(links.VIEW):
        context["health"] = list(_health(request))
    return context | looked_for(request, state=state, using=using, look=False)


def _import_links(request: HttpRequest, models: list[type[Model]]) -> list[tuple[str, str]]:
    """Return where the person may upload a file, and of what, in the order in which the models are shown."""
    order = [str(model._meta.verbose_name_plural) for model in models]
    return sorted(import_links(request), key=lambda link: order.index(link[1]) if link[1] in order else len(order))


def shown_models() -> list[type[Model]]:
    """Return the tracked models in the order in which they are shown: airports, then what points before its targets."""
    return sorted((tracked.model for tracked in reversed(tracked_models())), key=lambda model: model is not Airport)


def looked_for(request: HttpRequest, *, look: bool, state: str = "", using: str = "") -> dict[str, Any]:
    """Return the cards that take seconds after each change: findings, and whether history is complete.

    Without `look` only what is known already comes back; `wait` says that there is something to look for, which the
    page then asks for by itself.
    """
    using = using or reading_alias()
    state = state or state_of_tables(using=using)
    context: dict[str, Any] = {}
    if request.user.has_perm(VIEW_FINDINGS):
        counted = newest_counted() if look else known_counted(state if using == DEFAULT_DB_ALIAS else "")
        known = None if counted is None or counted.stale else counted
        context["findings"] = _findings(known, eyes_of(request.user)) if known else None
        context["counted_at"], context["wait"] = known.at if known else None, not known
        context["findings_url"] = findings_url()
        context["keep"] = request.user.has_perm(ACCEPT_FINDINGS) and not (known and known.kept)
    if request.user.has_perm(links.VIEW):
        context["history"] = figures.history_completeness(state=state, look=look, using=using)
        context["wait"] = context.get("wait") or context["history"] is None
    return context


def cards_looked_for(request: HttpRequest) -> dict[str, Any]:
    """Return the context of the cards that the page fetches later, computed now."""
    backup = {"backup": backup_state(request)} if request.user.has_perm(VIEW_BACKUPS) else {}
    return looked_for(request, look=True) | backup


def _health(request: HttpRequest) -> Iterator[tuple[Part, str, str]]:
    """Yield how each part is, and for one that needs somebody where to look next: address and words."""
    for name, part in look_at_parts(*PARTS).items():
        permission, page, words = NEXT.get(name, ("", "", ""))
        if part.ok or not permission or not request.user.has_perm(permission):
            page = words = ""
        yield part, reverse(page) if page else "", words


def _findings(counted: Counted, sees: Sees) -> list[tuple[Any, str, int]]:
    return [(severity, SIGNS[severity], number) for severity, number in by_severity(counted.counts, sees=sees).items()]


def _airports(request: HttpRequest, number: int) -> dict[str, Any]:
    """Return the map, or the first steps when there are no airports."""
    if not number:
        return {"empty": True, "may_import": any(url == upload_url(Airport) for url, _ in import_links(request))}
    views = [("Type", map_url())]
    if request.user.has_perm(VIEW_FINDINGS):
        views.append(("Finding", links.model_url(Airport, "findings_map")))
    newest = _newest_of_airports() if request.user.has_perm(links.VIEW) else None
    if newest is not None:
        address = links.changeset_map_url(newest.pk, data=True)
        views.append((f"Last changeset (#{newest.pk})", f"{address}?model={AIRPORT}"))
    return {"map": MapFigure("Airports of the world", views), "types": types_shown()}


def _newest_of_airports() -> Changeset | None:
    """Return the newest changeset that changed airports, if it is one of the last."""
    last = Changeset.objects.exclude(status=Status.FAILED).only("pk", "counts").order_by("-pk")[:20]
    return next((changeset for changeset in last if AIRPORT in (changeset.counts or {})), None)


def _charts(request: HttpRequest, *, see_links: bool, using: str) -> list[Chart]:
    findings = request.user.has_perm(VIEW_FINDINGS)
    tallies = figures.newest_tallies(using=using) if see_links or findings else []
    charts = [coverage_chart(figures.coverage_trend(tallies))] if see_links else []
    return charts + ([findings_chart(figures.findings_trend(tallies))] if findings else [])


def _coverage(coverages: Iterable[Coverage]) -> list[tuple[str, Coverage, str]]:
    """Return the name of each link of airports, its coverage, and the list of those without it."""
    address = links.list_url(Airport)
    return [
        (str(field_of(Airport, coverage.field).verbose_name), coverage, f"{address}?links=no-{coverage.field}")
        for coverage in coverages
        if coverage.model == AIRPORT
    ]


def runs_shown(request: HttpRequest) -> list[RunShown]:
    """Return the imports that run or wait for somebody, and that the person may see."""
    waiting = ImportRun.objects.filter(status__in=OPEN).select_related("actor").order_by("-pk")[: MOST_RUNS * 4]
    seen = [run for run in waiting if not why_not_see(request.user, run)][:MOST_RUNS]
    return [
        RunShown(
            run,
            run_url(run),
            run_url(run) if not why_not_decide(request.user, run) else "",
            state_of(run) if run.status in WATCHED else None,
        )
        for run in seen
    ]
