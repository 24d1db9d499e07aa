"""The page of a run in each of its states: what it did or would do, and what a person can do next."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.http import urlencode

from apps.changesets.acts.actor import actor_of
from apps.changesets.acts.lines import Line
from apps.changesets.history.words import is_open_to_revert
from apps.changesets.models import Changeset
from apps.changesets.pages import links
from apps.changesets.pages.changed_by import list_of_changed
from apps.changesets.pages.paging import rows_on_page
from apps.changesets.rights import may_view
from apps.changesets.text import whole_number
from apps.imports.mapping import headers
from apps.imports.models import OPEN, ImportRun, RunStatus
from apps.imports.pages.addresses import page_url, run_url, upload_url
from apps.imports.pages.disputed_rows import key_titles
from apps.imports.pages.done_words import done_lines, duration_of
from apps.imports.pages.forms import PlanAgainForm
from apps.imports.pages.plan_rows import field_labels, shown_rows
from apps.imports.pages.plan_words import chips, first_bucket, plan_lines, unusual_of
from apps.imports.plan.checks import shown_after, shown_checks
from apps.imports.registry import all_specs, spec_named
from apps.imports.results import ImportOptions, LeftAlone, blanks_in_words
from apps.imports.runs.confirming import may_decide, may_import, why_not_confirm, why_not_pass_limits
from apps.imports.runs.opening import asks_how
from apps.imports.runs.rows import Bucket, Wanted, bucket_counts, changes_of, figures_of, rows_of

_FARTHEST = 10_000_000
# So many other imports are named.
SHOWN = 5
VIEW = "imports.view_importrun"
STEPS = ("Upload", "Review", "Done")


@dataclass(frozen=True)
class ShownPart:
    """Which rows the address of the page asks for."""

    wanted: Wanted
    start: int = 0

    def query(self, **changed: Any) -> str:
        """Return the query of the address for the same rows, with these changes, from the first row unless given."""
        query = {**self.asked(), **changed}
        return "?" + urlencode({name: value for name, value in query.items() if value})

    def asked(self) -> dict[str, Any]:
        """Return the names and values of the address, or of the fields that a form posts, for the same rows."""
        wanted = self.wanted
        return {
            "bucket": wanted.bucket,
            "field": wanted.field,
            "q": wanted.text,
            "link": wanted.link,
            "check": wanted.check,
            "far": "1" if wanted.far else "",
        }


def page_context(request: HttpRequest, run: ImportRun) -> dict[str, Any]:
    """Return the context of a run's page."""
    model = spec_named(run.spec).model
    options = ImportOptions.from_json(run.options)
    waits_for_mapping = run.status == RunStatus.UPLOADED and asks_how(run)
    context: dict[str, Any] = {
        "title": f"Import of {run.file_name}",
        "subtitle": None,
        "run": run,
        "model": model._meta,
        "who": run.who,
        "step": _step(run),
        "waits_for_mapping": waits_for_mapping,
        "may_act": may_decide(request.user, run),
        "upload_url": upload_url(model) if may_import(request.user, model) else "",
        "mapping_url": page_url(run, "mapping"),
        "sees": may_view(request.user, model),
    }
    if not context["sees"]:
        # The numbers are told, no value.
        context |= {"lines": [replace(line, url="") for line in _lines_of(run)]}
    elif run.status == RunStatus.PLANNED:
        context |= _plan(request, run, options)
    elif run.status == RunStatus.APPLIED:
        context |= _applied(request, run, options)
    return context


def read_part(address: Any, default: Bucket) -> ShownPart:
    """Return which rows an address asks for; invalid values are ignored."""
    try:
        bucket = Bucket(address.get("bucket", ""))
    except ValueError:
        bucket = default
    number = whole_number(address.get("start", ""), digits=8) or 0
    names = ("field", "q", "link", "check")
    field, text, link, check = (address.get(name, "").replace("\x00", "").strip()[:200] for name in names)
    wanted = Wanted(bucket, field, text, link, check, bool(address.get("far")))
    return ShownPart(wanted, number if number < _FARTHEST else 0)


def _lines_of(run: ImportRun) -> list[Line]:
    if run.status == RunStatus.APPLIED:
        return done_lines(run, changes_url="")
    return plan_lines(run) if run.status == RunStatus.PLANNED else []


def _plan(request: HttpRequest, run: ImportRun, options: ImportOptions) -> dict[str, Any]:
    spec = spec_named(run.spec)
    everything = headers.columns_taken(run.header, spec, replace(options, columns=None))
    taken = headers.columns_taken(run.header, spec, options)
    number = changes_of(run)
    later = [title for title in (run.summary or {}).get("not_taken", ()) if title not in run.header]
    return {
        "lines": plan_lines(run),
        "other_runs": _other_runs(request, run),
        "number": number,
        "taken": list(taken.values()),
        "not_taken": [*headers.not_taken(run.header, taken), *later],
        "blanks": blanks_in_words((run.summary or {}).get("read_as_blank", {})),
        "why_not_confirm": why_not_confirm(request.user, run),
        "checks": shown_checks(run.spec, (run.summary or {}).get("checks") or {}),
        "beyond_limits": (run.summary or {}).get("beyond_limits"),
        "earlier": (run.summary or {}).get("earlier"),
        "unusual": unusual_of(run),
        "why_not_pass": why_not_pass_limits(request.user),
        "again_form": PlanAgainForm(spec=spec, options=options, taken=everything),
        "may_decide": may_decide(request.user, run),
        **rows_context(request, run, options),
    }


def rows_context(request: HttpRequest, run: ImportRun, options: ImportOptions) -> dict[str, Any]:
    """Return the rows that the address asks for, the buckets, the filters and the pages."""
    counts = bucket_counts(run)
    part = read_part(request.GET, first_bucket(counts))
    bucket = part.wanted.bucket
    number = None if part.wanted.filtered else counts.get(bucket, 0)
    rows = rows_of(run, part.wanted)
    page = rows_on_page(rows, start=part.start, number=number, address=part.query, unread=["payload"])
    shown = shown_rows(run, page["rows"], missing=options.missing, user=request.user)
    may = run.status == RunStatus.PLANNED and may_decide(request.user, run)
    return {
        **page,
        "part": part,
        "buckets": [
            (sign, word, how_many, part.query(bucket=chip, field="", link="", check=""), chip == bucket)
            for chip, sign, word, how_many in chips(counts)
        ],
        "fields": _fields(run, bucket),
        "field_title": "Column" if bucket == Bucket.REFUSED else "Field",
        "rows": shown,
        "key_titles": key_titles(run) if bucket == Bucket.DISPUTED else (),
        "can_decide": may and any(row.can_be_ticked for row in shown),
        "unfiltered": ShownPart(Wanted(bucket)).query(),
        "slight": _slight(run, part),
        "narrowed": _narrowed(run, part),
    }


def _slight(run: ImportRun, part: ShownPart) -> dict[str, Any] | None:
    """Return how many rows do nothing but move an object a little, and the address that hides or shows them."""
    number = figures_of(run).get("slight", 0)
    if part.wanted.bucket != Bucket.CHANGED or not number:
        return None
    return {"number": number, "query": part.query(far="" if part.wanted.far else "1")}


def _narrowed(run: ImportRun, part: ShownPart) -> str:
    """Return in words what the rows are narrowed to besides the fields of the form."""
    if part.wanted.link:
        meta = spec_named(run.spec).model._meta
        return f"{meta.verbose_name_plural} linked to a {part.wanted.link}".capitalize()
    return f"Concerned by {part.wanted.check}" if part.wanted.check else ""


def _other_runs(request: HttpRequest, run: ImportRun) -> QuerySet[ImportRun]:
    """Return the imports to know of before this one is confirmed: of the same file, and those that run before it."""
    same = Q(file_sha256=run.file_sha256, status__in=OPEN) | Q(status__in=(RunStatus.APPROVED, RunStatus.RUNNING))
    runs = ImportRun.objects.filter(same, spec=run.spec).exclude(pk=run.pk)
    return runs[:SHOWN] if request.user.has_perm(VIEW) else runs.filter(actor=actor_of(request))[:SHOWN]


def _fields(run: ImportRun, bucket: Bucket) -> list[tuple[str, str]]:
    """The fields to filter by; refusals are about columns of the file."""
    spec = spec_named(run.spec)
    if bucket == Bucket.REFUSED:
        return [(column.header, column.header) for column in spec.columns]
    if bucket in (Bucket.CHANGED, Bucket.RENAMED, Bucket.KEPT, Bucket.DECIDED, Bucket.LEFT_ALONE):
        return field_labels(spec.model, [column.field for column in spec.columns])
    return []


def _applied(request: HttpRequest, run: ImportRun, options: ImportOptions) -> dict[str, Any]:
    made = run.changeset
    changes_url = links.changeset_url(made.pk) if made and request.user.has_perm(links.VIEW) else ""
    checks = (run.summary or {}).get("checks") or {}
    return {
        "lines": done_lines(run, changes_url=changes_url),
        "duration": duration_of(run),
        "outcomes": [(template, checks.get(name)) for name, template in shown_after(run.spec)],
        "left_alone": [LeftAlone(**row) for row in (run.summary or {}).get("left_alone", [])],
        "changeset_url": changes_url,
        "revert_url": links.revert_url(made.pk) if made and _may_revert(request, made) else "",
        "changed_url": list_of_changed(spec_named(run.spec).model, made.pk) if made else "",
        "may_download": may_decide(request.user, run) and bool(run.kept_as),
        **({} if run.command else rows_context(request, run, options)),
    }


def _may_revert(request: HttpRequest, made: Changeset) -> bool:
    return request.user.has_perm(links.REVERT) and is_open_to_revert(made)


def import_links(request: HttpRequest) -> list[tuple[str, str]]:
    """Return where the person may upload a file, and of what."""
    models = dict.fromkeys(spec.model for spec in all_specs())
    return [
        (upload_url(model), str(model._meta.verbose_name_plural)) for model in models if may_import(request.user, model)
    ]


def _step(run: ImportRun) -> int:
    if run.status in (RunStatus.UPLOADED, RunStatus.PLANNING):
        return 1
    return 3 if run.status in (RunStatus.APPLIED, RunStatus.RUNNING, RunStatus.APPROVED) else 2


def back_to(request: HttpRequest, run: ImportRun) -> str:
    """Return the address of the rows that somebody acted on."""
    part = read_part(request.POST, Bucket.KEPT)
    start = {"start": part.start} if part.start else {}
    return run_url(run) + (part.query(**start) if "bucket" in request.POST else "") + "#rows-title"


def steps(current: int, status: str = "") -> Iterator[tuple[int, str, str]]:
    """Yield the three steps with their state: done, now or later; the last is under way before it is done."""
    under_way = status in (RunStatus.APPROVED, RunStatus.RUNNING)
    for number, name in enumerate((*STEPS[:2], "Under way" if under_way else STEPS[2]), start=1):
        yield number, name, "done" if number < current else "now" if number == current else "later"
