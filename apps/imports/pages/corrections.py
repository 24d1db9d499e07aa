"""The report of corrections: how many by field, the values by the page and as a file; and ending those of a source."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import chain
from typing import Any

from django.contrib.admin.utils import quote
from django.contrib.auth import get_permission_codename
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.timezone import localdate

from apps.changesets.acts.frame import answer
from apps.changesets.acts.methods import ASKS, for_viewers, show_page, stream_file, turned_away
from apps.changesets.history.values import field_label
from apps.changesets.history.words import person
from apps.changesets.pages import links
from apps.changesets.pages.bulk_act import BulkAct, Door
from apps.changesets.pages.bulk_registry import BulkAction
from apps.changesets.pages.changeset import bars_of
from apps.changesets.pages.origins import origin_line
from apps.changesets.rights import may_view
from apps.changesets.text import csv_parts, plural
from apps.imports.pages.pin_words import ADD, VIEW, pin_words, shown_value
from apps.imports.plan.correction_sources import Sources, ending, pairs_of_source, sources_of
from apps.imports.plan.corrections import (
    Correction,
    Corrections,
    corrections_of,
    read_corrections,
    stream_corrections,
)
from apps.imports.plan.pins import pinnable_fields, pinned_by
from apps.imports.registry import has_spec, spec_for

PER_PAGE = 50
HEADER = (
    *("object", "source_id", "name", "field", "value", "upstream_value", "since", "who", "reason"),
    *("pinned", "pinned_by", "pin_note", "source"),
)


@dataclass(frozen=True)
class ReportPart:
    """Which corrections the address asks for: of a field, of a source, or of both."""

    field: str = ""
    source: str = ""

    def query(self, **changed: str) -> str:
        """Return the query of the address for the same corrections, with these changes; empty for all."""
        query = {name: value for name, value in {**asdict(self), **changed}.items() if value}
        return f"?{urlencode(query)}" if query else ""


@for_viewers
def corrections_page(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Show the values that differ from upstream or are pinned: counts by field, then rows; reads only."""
    _check_spec(model_admin)
    corrections = corrections_of(model_admin.model)
    part, sources = read_part(model_admin, request), sources_of(corrections)
    field, shown = part.field, _shown(corrections, part, sources)
    field_name = field_label(model_admin.model, field) if field else ""
    page = Paginator(shown.pairs, PER_PAGE).get_page(request.GET.get("p"))
    sees_pins, sees_changesets = request.user.has_perm(VIEW), request.user.has_perm(links.VIEW)
    pins = request.user.has_perm(ADD) and model_admin.has_change_permission(request)
    meta, upstream = model_admin.opts, spec_for(model_admin.model).upstream is not None
    context = {
        "title": f"Corrections of {meta.verbose_name_plural}",
        "plural": capfirst(meta.verbose_name_plural),
        "changelist_url": links.list_url(model_admin.model),
        "file_url": links.model_url(model_admin.model, "corrections_file") + part.query(),
        "end_url": links.model_url(model_admin.model, "end_corrections") + part.query()
        if part.source and model_admin.has_change_permission(request)
        else "",
        "has_upstream": upstream,
        "values": len(corrections.pairs),
        "verb": plural(len(corrections.pairs), *(("differs", "differ") if upstream else ("is", "are"))),
        "objects": len({pk for pk, _ in corrections.pairs}),
        "shown": len(shown.pairs),
        "counts": bars_of(
            dict(corrections.counts),
            lambda name: capfirst(field_label(model_admin.model, name)),
            lambda name: part.query(field=name),
            chosen=part.field,
        ),
        "source_counts": bars_of(
            Counter(sources.values()), capfirst, lambda name: part.query(source=name), chosen=part.source
        ),
        "part": part,
        "filters": [
            (word, part.query(**{name: ""}) or "?")
            for name, word in (("field", field_name), ("source", part.source))
            if word
        ],
        "field": field,
        "field_name": field_name,
        "page": page,
        "rows": [
            _row(model_admin, correction, sees_pins=sees_pins, sees_changesets=sees_changesets, pins=pins)
            for correction in map(_told_to(request), read_corrections(corrections, list(page.object_list)))
        ],
    }
    return show_page(model_admin, request, "admin/imports/corrections.html", context)


@for_viewers
def corrections_file(model_admin: Any, request: HttpRequest) -> StreamingHttpResponse:
    """Stream the corrections as CSV, to be sent upstream so that they can end."""
    _check_spec(model_admin)
    corrections = corrections_of(model_admin.model)
    part = read_part(model_admin, request)
    shown = _shown(corrections, part, sources_of(corrections) if part.source else {})
    rows = as_csv(map(_told_to(request), stream_corrections(shown)))
    name = str(model_admin.opts.verbose_name_plural).replace(" ", "-")
    return stream_file(rows, f"corrections-of-{name}-{localdate():%Y-%m-%d}.csv")


def _told_to(request: HttpRequest) -> Callable[[Correction], Correction]:
    """Return what leaves out of a correction what the person may not see: changesets, pins, what links name."""
    user = request.user
    sees_pins, sees_changesets = user.has_perm(VIEW), user.has_perm(links.VIEW)

    def told(correction: Correction) -> Correction:
        target = correction.field.related_model
        if isinstance(target, type) and not may_view(user, target):
            correction = replace(
                correction, value=f"#{correction.value.pk}" if correction.value else None, upstream=None
            )
        origin, pin = correction.origin if sees_changesets else None, correction.pin if sees_pins else None
        return replace(correction, origin=origin, pin=pin)

    return told


def as_csv(corrections: Iterable[Correction]) -> Iterator[str]:
    """Yield the corrections as CSV, a line for each, fields called as upstream's file calls them."""
    return csv_parts(chain([HEADER], map(_cells, corrections)))


def _cells(correction: Correction) -> list[Any]:
    origin, made = correction.origin, correction.pin
    return [
        _plain(correction.obj.pk),
        correction.stable_key,
        str(getattr(correction.obj, "name", correction.obj)),
        correction.header,
        _plain(correction.value),
        _plain(correction.upstream),
        origin.at.isoformat(timespec="seconds") if origin else "",
        person(origin.changeset) if origin else "",
        origin.changeset.reason if origin else "",
        "yes" if made else "no",
        pinned_by(made) if made else "",
        made.note if made else "",
        origin.changeset.source_title if origin else "",
    ]


def _plain(value: Any) -> Any:
    """Return a value as a file has it: numbers as numbers, all else as text."""
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    return str(value)


def _row(
    model_admin: Any, correction: Correction, *, sees_pins: bool, sees_changesets: bool, pins: bool
) -> dict[str, Any]:
    obj, field = correction.obj, correction.field
    may_be_pinned = pins and not correction.pin and field.name in pinnable_fields(type(obj))
    leads = may_be_pinned or (correction.pin and sees_pins)
    return {
        "name": getattr(obj, "name", str(obj)),
        "key": links.telling_key(obj._meta.label_lower, str(obj.pk)),
        "stable_key": correction.stable_key,
        "url": links.object_url(type(obj), obj.pk),
        "field": field.verbose_name,
        "value": shown_value(field, correction.value),
        "upstream": shown_value(field, correction.upstream) if correction.known else "",
        "differs": correction.differs,
        "known": correction.known,
        "origin": origin_line(correction.origin) if correction.origin and sees_changesets else "",
        "reason": correction.origin.changeset.reason if correction.origin and sees_changesets else "",
        "pin": pin_words(correction.pin) if sees_pins else "",
        "pin_url": links.model_url(type(obj), "pin", quote(obj.pk), field.name) if leads else "",
    }


def _shown(corrections: Corrections, part: ReportPart, sources: Sources) -> Corrections:
    shown = corrections.of(part.field) if part.field else corrections
    if not part.source:
        return shown
    return shown.among({pair for pair, title in sources.items() if title == part.source})


def _check_spec(model_admin: Any) -> None:
    if not has_spec(model_admin.model):
        raise Http404("Nothing imports these objects, so there are no corrections.")


def read_part(model_admin: Any, request: HttpRequest) -> ReportPart:
    """Return which corrections the address of a request asks for; a field that there is none of is ignored."""
    field, source = (request.GET.get(name, "") for name in ("field", "source"))
    known = {known.name for known in model_admin.opts.concrete_fields}
    return ReportPart(field if field in known else "", source.replace("\x00", "")[:200])


def end_corrections_page(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Show what ending the corrections of a source would do (GET); do it (POST)."""
    may = model_admin.has_view_permission(request) and model_admin.has_change_permission(request)
    if (refused := turned_away(request, ASKS, may=may)) is not None:
        return refused
    model, part = model_admin.model, read_part(model_admin, request)
    if not has_spec(model) or not part.source:
        raise Http404("Say of which source the corrections are to end.")
    objects = {pk for pk, _field in pairs_of_source(model, part.source, part.field)[1]}
    report = links.model_url(model, "corrections")
    door = Door(links.list_url(model), report + part.query())
    return answer(
        BulkAct(model_admin, request, _action(model_admin, part), model._base_manager.filter(pk__in=objects), door)
    )


def _action(model_admin: Any, part: ReportPart) -> BulkAction:
    opts = model_admin.opts
    change = f"{opts.app_label}.{get_permission_codename('change', opts)}"
    # Its name holds what it is about: the token of one source is none for another.
    name = f"end_corrections {part.source} {part.field}"
    return BulkAction(name, "End corrections", "End {what}", change, ending(part.source, part.field), danger=True)
