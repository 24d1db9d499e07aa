"""The dashboard: what the first page of the admin shows to a person, put together from all apps."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.http import HttpRequest
from django.utils import timezone

from apps.airports.maps import count_by_type
from apps.airports.models import Airport
from apps.airports.pages.map import map_url
from apps.backups.catalogue import Backup, list_backups
from apps.base.models import City, Country
from apps.changesets.models import Changeset, Status
from apps.changesets.pages import links
from apps.changesets.pages.maps import MapFigure, may_view
from apps.changesets.remembering import reading_alias, remembered, state_of_tables
from apps.imports.models import OPEN, ImportRun
from apps.imports.pages.addresses import run_url, upload_url
from apps.imports.pages.run import import_links
from apps.imports.pages.watching import WATCHED, state_of
from apps.imports.runs.confirming import may_decide, may_see
from apps.quality import figures
from apps.quality.coverage import share_of
from apps.quality.findings import by_severity
from apps.quality.pages.addresses import VIEW as VIEW_FINDINGS
from apps.quality.pages.addresses import findings_url
from apps.quality.rules import SIGNS
from apps.quality.tallies import Counted, newest_counted
from travelmathlite.charts import coverage_chart, findings_chart, growth_chart

MODELS = (Airport, City, Country)
LABELS = tuple(model._meta.label_lower for model in MODELS)
BACKUP_AGE = timedelta(days=1)
MOST_RUNS = 5
VIEW_BACKUPS = "backups.view_backups"


@dataclass(frozen=True)
class BackupState:
    """The newest verified backup, or the lack of one, in words; `late` means that somebody should do something."""

    words: str
    late: bool
    backup: Backup | None = None
    url: str = ""


@dataclass(frozen=True)
class RunShown:
    """A run that somebody or a worker still has something to do with."""

    run: ImportRun
    url: str
    cancel_url: str
    progress: dict[str, Any] | None


def dashboard_of(request: HttpRequest) -> dict[str, Any]:
    """Return what the dashboard shows to the person who asks; of what they may not see, nothing is looked for."""
    using = reading_alias()
    state = state_of_tables(using=using)
    seen = [model for model in MODELS if may_view(request.user, model)]
    found: dict[str, Any] = {"upload_links": import_links(request), "runs": runs_shown(request)}
    if seen:
        labels = [model._meta.label_lower for model in seen]
        moves = figures.newest_moves(labels, using=using)
        known = figures.amounts(LABELS, moves, state=state, since=figures.a_week_ago(), using=using)
        shown = [each for each in known if each.label in labels]
        found["amounts"] = [(each, links.list_url(apps.get_model(each.label))) for each in shown]
        if Airport in seen:
            number = next(each.number for each in shown if each.label == LABELS[0])
            found |= _airports(request, number)
            found["charts"] = [growth_chart(figures.growth(LABELS[0], number, moves))]
    if seen or request.user.has_perm(VIEW_FINDINGS):
        found |= _quality(request, see_links=Airport in seen, using=using)
    if request.user.has_perm(links.VIEW):
        found["history"] = figures.history_completeness(state=state, using=using)
    if request.user.has_perm(VIEW_BACKUPS):
        found["backup"] = backup_state()
    return found


def _airports(request: HttpRequest, number: int) -> dict[str, Any]:
    """The map, or what to do first where there is nothing to be drawn."""
    if not number:
        return {"empty": True, "may_import": any(url == upload_url(Airport) for url, _ in import_links(request))}
    views = [("Type", map_url())]
    if request.user.has_perm(VIEW_FINDINGS):
        views.append(("Finding", links.model_url(Airport, "findings_map")))
    newest = _newest_of_airports() if request.user.has_perm(links.VIEW) else None
    if newest is not None:
        address = links.changeset_map_url(newest.pk, data=True)
        views.append((f"Last changeset (#{newest.pk})", f"{address}?model={LABELS[0]}"))
    return {"map": MapFigure("Airports of the world", views), "types": airports_by_type()}


def _newest_of_airports() -> Changeset | None:
    """The newest of the last changesets that touched airports."""
    last = Changeset.objects.exclude(status=Status.FAILED).only("pk", "counts").order_by("-pk")[:20]
    return next((each for each in last if LABELS[0] in (each.counts or {})), None)


def airports_by_type() -> list[tuple[str, int, int, str]]:
    """Return each type's name, how many airports it has, how many of them lack a city, and the address of its list."""
    using = reading_alias()
    state = state_of_tables(LABELS[0], using=using)
    counted = remembered("airports-by-type", state, lambda: count_by_type(using=using))
    address = links.list_url(Airport)
    return [(label, number, alone, f"{address}?airport_type__exact={value}") for value, label, number, alone in counted]


def _quality(request: HttpRequest, *, see_links: bool, using: str) -> dict[str, Any]:
    counted = newest_counted()
    tallies = figures.newest_tallies(using=using)
    found: dict[str, Any] = {"counted_at": counted.at, "more_charts": []}
    if see_links:
        found["coverage"] = _coverage(counted)
        found["more_charts"].append(coverage_chart(figures.coverage_trend(tallies)))
    if request.user.has_perm(VIEW_FINDINGS):
        found["findings"] = [(each, SIGNS[each], n) for each, n in by_severity(counted.counts).items()]
        found["findings_url"] = findings_url()
        found["more_charts"].append(findings_chart(figures.findings_trend(tallies)))
    return found


def _coverage(counted: Counted) -> list[tuple[str, int, int, float, str]]:
    """Return each link's name, how many are made, of how many, the share, and the list of those without."""
    rows = []
    for link, (linked, total) in counted.coverage.items():
        label, _, field = link.rpartition(".")
        if label == LABELS[0]:
            address = f"{links.list_url(Airport)}?links=no-{field}"
            rows.append(
                (str(Airport._meta.get_field(field).verbose_name), linked, total, share_of(linked, total), address)
            )
    return rows


def runs_shown(request: HttpRequest) -> list[RunShown]:
    """Return the imports that are under way, or wait for somebody, and that the person may see."""
    waiting = ImportRun.objects.filter(status__in=OPEN).select_related("actor").order_by("-pk")[: MOST_RUNS * 4]
    seen = [run for run in waiting if not may_see(request.user, run)][:MOST_RUNS]
    return [
        RunShown(
            run,
            run_url(run),
            run_url(run) if not may_decide(request.user, run) else "",
            state_of(run) if run.status in WATCHED else None,
        )
        for run in seen
    ]


def backup_state() -> BackupState:
    """Return the newest backup that was proved to restore, and whether it is too old to rely on."""
    url = links.address_of("admin:backups_backup_changelist")
    backups = [each for each in list_backups() if not each.tables]
    proved = next((each for each in backups if each.verified_at is not None), None)
    if proved is None:
        words = "No backup was verified yet" if backups else "There is no backup yet"
        return BackupState(words, late=True, url=url)
    late = timezone.now() - proved.created_at > BACKUP_AGE
    return BackupState("older than a day: make and verify a new one" if late else "verified", late, proved, url)
