"""The read-only pages of points in time: a table and an object as they were, and what changed between two moments."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import label_for_field, quote
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.http import urlencode

from apps.changesets.acts.methods import for_viewers, show_page, stream_file
from apps.changesets.errors import ChangesetError
from apps.changesets.history.as_of import (
    AFTER,
    BEFORE,
    NOW,
    Moment,
    csv_lines,
    last_row,
    read_moment,
    state_at,
    values_then,
    version_at,
)
from apps.changesets.history.comparison import CONDITIONS, changes_from
from apps.changesets.history.diff import changes_between
from apps.changesets.history.pruning import refuse_pruned_moment
from apps.changesets.history.values import field_label
from apps.changesets.models import Changeset
from apps.changesets.pages import links
from apps.changesets.pages.moved_on import lead_on
from apps.changesets.rights import Sees, eyes_of
from apps.changesets.text import whole_number
from apps.changesets.tracking import Tracked, tracked_for

PER_PAGE = 100
LONGEST_SEARCH = 200


@for_viewers
def table_page(model_admin: admin.ModelAdmin, request: HttpRequest) -> HttpResponseBase:
    """The list as it was at the moment `at`, searched and paged; `format=csv` gives all of it as a file."""
    tracked = tracked_for(model_admin.model)
    try:
        moment = _asked(request, "at")
    except ChangesetError as error:
        return _render(model_admin, request, "as_of_list", {"refusal": str(error), "title": _title(model_admin)})
    if request.GET.get("format") == "csv":
        return _download(tracked, moment, eyes_of(request.user))
    rows = state_at(tracked, last_row(tracked, moment))
    search = request.GET.get("q", "")[:LONGEST_SEARCH].replace("\x00", "")
    if search.strip():
        rows, _ = model_admin.get_search_results(request, rows, search)
    page = Paginator(rows.order_by(tracked.model._meta.pk.attname), PER_PAGE).get_page(request.GET.get("p"))
    context = {
        "title": f"{_title(model_admin)} {moment_words(moment)}",
        "moment": moment,
        "words": moment_words(moment),
        "q": search,
        "page": page,
        **_columns(model_admin, tracked, page, moment, eyes_of(request.user)),
    }
    return _render(model_admin, request, "as_of_list", context)


@for_viewers
def between_page(model_admin: admin.ModelAdmin, request: HttpRequest) -> HttpResponse:
    """The changes of the list from the moment `from` to the moment `to`: counts, then the objects."""
    tracked = tracked_for(model_admin.model)
    operation = request.GET.get("operation", "")
    search = request.GET.get("q", "")[:LONGEST_SEARCH].replace("\x00", "")
    number = whole_number(request.GET.get("p", ""), digits=7) or 1
    try:
        first, second = _asked(request, "from"), _asked(request, "to")
    except ChangesetError as error:
        return _render(model_admin, request, "between", {"refusal": str(error), "title": _title(model_admin)})
    start = (number - 1) * PER_PAGE
    whole = "?" + urlencode({"from": str(first), "to": str(second)})

    def page(number: int) -> str:
        return f"{whole}&{urlencode({'operation': operation, 'q': search, 'p': str(number)})}"

    result = changes_from(
        tracked,
        first,
        second,
        operation=operation,
        search=search,
        start=start,
        limit=PER_PAGE,
        sees=eyes_of(request.user),
    )
    urls = links.urls_of(tracked.label, [change.pk for change in result.changes])
    context = {
        "title": f"{_title(model_admin)}: what changed",
        "first": first,
        "second": second,
        "first_words": moment_words(first),
        "second_words": moment_words(second),
        "operation": operation if operation in CONDITIONS else "",
        "counts": result.counts,
        "all": sum(result.counts.values()),
        "matching": result.matching,
        "rows": [(change, urls.get(change.pk, "")) for change in result.changes],
        "q": search,
        "first_row": start + 1,
        "last_row": start + len(result.changes),
        "whole": whole,
        "before": page(number - 1) if number > 1 else "",
        "after": page(number + 1) if start + PER_PAGE < result.matching else "",
    }
    return _render(model_admin, request, "between", context)


@for_viewers
def object_page(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """An object as it was at the moment `at`, and how that differs from the moment `to` (now, if not given)."""
    tracked, key = tracked_for(model_admin.model), model_admin.key_or_404(object_id)
    history = tracked.history_model.objects
    newest = history.filter(**{tracked.model._meta.pk.attname: key}).first()
    if newest is None:
        raise Http404(f"This {model_admin.opts.verbose_name} never existed.")
    if (moved := lead_on(model_admin, request, key, page="as_of")) is not None:
        return moved
    row = whole_number(request.GET.get("row", ""))
    like = history.filter(history_id=row).first() if row is not None else None
    named = {"object_key": key, "object_name": str((like or newest).instance)}
    try:
        moment, until = _asked(request, "at"), _asked(request, "to")
    except ChangesetError as error:
        return _render(
            model_admin, request, "as_of_object", {"refusal": str(error), "title": named["object_name"], **named}
        )
    then, later = (version_at(tracked, key, point, like=like or newest) for point in (moment, until))
    ids = (then and then.history_id, later and later.history_id)
    sees = eyes_of(request.user)
    change = changes_between(tracked, [ids], sees=sees)[0] if any(ids) else None
    values = values_then(tracked, [then], moment, sees=sees)[0] if then else {}
    context = {
        "title": f"{then.instance if then else named['object_name']} {moment_words(moment)}",
        "moment": moment,
        "words": moment_words(moment),
        "other_words": moment_words(until),
        "then": then,
        "values": [(field_label(tracked.model, name), value) for name, value in values.items()],
        "change": change,
        "row": str(row) if like else "",
        **named,
    }
    return _render(model_admin, request, "as_of_object", context)


def moment_words(moment: Moment) -> str:
    """Return a moment as people say it: `before #41 Import`, `on April 1, 2026, noon`, `now`."""
    if moment.changeset is not None:
        return f"{moment.side} {Changeset.objects.get(pk=moment.changeset)}"
    if moment.date is None:
        return "now"
    local = timezone.localtime(moment.date)
    return f"as of {formats.date_format(local, 'DATETIME_FORMAT')} {local.tzname()}"


def _asked(request: HttpRequest, name: str) -> Moment:
    """The moment in the address, or in the small form: a date, or a changeset and a side."""
    number = request.GET.get("changeset", "").strip()
    if number and name in ("at", "from"):
        side = AFTER if request.GET.get("side") == AFTER else BEFORE
        moment = read_moment(f"{side}-{number}")
    else:
        moment = read_moment(request.GET.get(name, "").replace("\x00", ""))
    refuse_pruned_moment(moment)
    return moment


def _columns(model_admin: admin.ModelAdmin, tracked: Tracked, page: Page, moment: Moment, sees: Sees) -> dict[str, Any]:
    """The columns of the list that are fields, and the rows with their addresses."""
    fields = {field.name for field in tracked.model._meta.concrete_fields}
    names = [name for name in model_admin.list_display if name in fields]
    pk = tracked.model._meta.pk.attname
    rows = list(page.object_list)
    headers = [label_for_field(name, tracked.model, model_admin) for name in names]
    lines = []
    for row, values in zip(rows, values_then(tracked, rows, moment, sees=sees), strict=True):
        url = links.object_url(tracked.model, getattr(row, pk), page="as_of")
        cells = [(header, values[name]) for header, name in zip(headers, names, strict=True)]
        lines.append((format_html("{}?at={}&row={}", url, moment, row.history_id), cells))
    return {"headers": headers, "lines": lines}


def _download(tracked: Tracked, moment: Moment, sees: Sees) -> StreamingHttpResponse:
    stamp = str(moment) if not moment.is_now else timezone.localtime().strftime("%Y-%m-%dT%H:%M")
    name = f"{tracked.model._meta.verbose_name_plural}-{stamp}".replace(":", "").replace(" ", "-")
    return stream_file(csv_lines(tracked, moment, sees=sees), f"{name}.csv")


def _render(model_admin: admin.ModelAdmin, request: HttpRequest, page: str, context: dict[str, Any]) -> HttpResponse:
    meta = model_admin.opts
    if "object_key" in context:
        key = quote(context["object_key"])
        context["object_urls"] = {
            name: links.model_url(meta.model, name, key) for name in ("as_of", "history", "change")
        }
    moment = context.get("moment") or context.get("first") or NOW
    context = {
        "plural": _title(model_admin),
        "urls": {name: links.model_url(meta.model, name) for name in ("changelist", "as_of_list", "between")},
        "date_value": _input_value(moment.date),
        "changeset_value": moment.changeset or "",
        "may_see_changesets": request.user.has_perm(links.VIEW),
        **context,
    }
    return show_page(model_admin, request, f"admin/changesets/{page}.html", context)


def _title(model_admin: admin.ModelAdmin) -> str:
    return str(model_admin.opts.verbose_name_plural).capitalize()


def _input_value(date: datetime | None) -> str:
    return "" if date is None else timezone.localtime(date).strftime("%Y-%m-%dT%H:%M")
