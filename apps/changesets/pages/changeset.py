"""What a changeset's page shows: the counts by model and field, and the changes that the address asks for."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib.admin import ModelAdmin
from django.db.models import prefetch_related_objects
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from apps.changesets.acts.methods import for_viewers, stream_file
from apps.changesets.errors import NothingToRevert
from apps.changesets.history.counts import Counts, counts_of_many, field_counts_of, total
from apps.changesets.history.diff import Change, changes_between, changes_of, selection_of
from apps.changesets.history.download import as_csv, as_json
from apps.changesets.history.moves import move_of
from apps.changesets.history.selection import OPERATIONS, Filters, page_and_count, pairs_on_page
from apps.changesets.history.stable_key import row_key_of
from apps.changesets.history.values import field_label
from apps.changesets.history.words import SIGNS, asked_for, may_name_file, person, standing_revert, subjects_of
from apps.changesets.hooks import remarks_on
from apps.changesets.models import Changeset, Kind, Status
from apps.changesets.pages import links
from apps.changesets.pages.changes_query import (
    MOST_PLACES,
    ChangesQuery,
    place_name,
    places_of,
    read_changes_query,
)
from apps.changesets.pages.comments import Thread, thread_of
from apps.changesets.revert.own_edit import is_own_edit
from apps.changesets.revert.plan import refuse_unless_revertable
from apps.changesets.rights import Sees, eyes_of, not_shown
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_models

SHOWN = 100
# Where so few stand on a page, what was deleted is shown without a click.
FEW = 10
FORMATS = {"csv": (as_csv, "text/csv; charset=utf-8"), "json": (as_json, "application/json")}


@dataclass(frozen=True)
class FieldCount:
    """How many objects changed in a field, as a bar that leads to them."""

    label: str
    number: int
    percent: float
    query: str
    chosen: bool = False


@dataclass(frozen=True)
class ModelCounts:
    """One model's line of counts, its bars by field, and whether its changes are the ones shown, or may be at all."""

    label: str
    plural: str
    counts: dict[str, int]
    number: int
    chosen: bool
    seen: bool
    fields: tuple[FieldCount, ...]


@dataclass(frozen=True)
class Row:
    """One change as the page shows it."""

    change: Change
    url: str
    moved: str
    unfolded: bool
    address: str
    comments: int


def page_of(changeset: Changeset, request: HttpRequest) -> dict[str, Any]:
    """Return the context of a changeset's page; the address chooses which changes are shown.

    Objects of models that the person may not see are counted, and nothing else is told of them.
    """
    sees = eyes_of(request.user)
    if changeset.kind == Kind.REVERT:
        prefetch_related_objects([changeset], "reverts")
    counts = counts_of_many([changeset])[changeset.pk]
    subject = subjects_of([changeset], {changeset.pk: counts}, sees=sees).get(changeset.pk, "")
    title = f"#{changeset.pk} {changeset.get_kind_display()}"
    if subject:
        title += f" {subject}" if changeset.kind == Kind.REVERT else f" · {subject}"
    query = read_changes_query(request, counts, sees) if changeset.pruned_at is None else None
    thread = thread_of(changeset, sees)
    return {
        "thread": thread,
        "title": title,
        "subtitle": None,
        "changeset": changeset,
        "who": person(changeset),
        "asked_for": asked_for(changeset),
        "remarks": remarks_on(changeset),
        "counts": counts,
        "standing_revert": None if changeset.status == Status.APPLIED else standing_revert(changeset),
        "duration": _duration(changeset),
        "not_shown": not_shown(counts, sees),
        "source_name": changeset.source_name if may_name_file(changeset, counts, sees) else "",
        # What the database says of a failure may hold any value.
        "error": changeset.error if all(sees(tracked.model) for tracked in tracked_models()) else "",
        "lines": list(lines_of(changeset, counts, query, sees=sees)),
        **(_shown(changeset, counts, query, sees, thread) if query else {}),
        **revert_offer(changeset, request),
    }


def lines_of(
    changeset: Changeset, counts: Counts, query: ChangesQuery | None = None, *, sees: Sees
) -> Iterator[ModelCounts]:
    """Yield a line of counts for each model that the changeset touched, with the fields of those that may be seen."""
    by_field = field_counts_of(changeset, counts=counts)
    for tracked in tracked_models():
        if tracked.label in counts:
            yield ModelCounts(
                label=tracked.label,
                plural=str(tracked.model._meta.verbose_name_plural),
                counts=counts[tracked.label],
                number=total({"": counts[tracked.label]}),
                chosen=query is not None and query.tracked is tracked,
                seen=sees(tracked.model),
                fields=_bars(tracked, by_field.get(tracked.label, {}) if sees(tracked.model) else {}),
            )


def bars_of(
    numbers: Mapping[str, int], label: Callable[[str], str], query: Callable[[str], str], *, chosen: str = ""
) -> tuple[FieldCount, ...]:
    """Return numbers by name as bars, the largest first; `label` and `query` say what a name is called and leads to."""
    most = max(numbers.values(), default=1)
    return tuple(
        FieldCount(label(name), number, round(100 * number / most, 1), query(name), name == chosen)
        for name, number in sorted(numbers.items(), key=lambda item: -item[1])
    )


def _bars(tracked: Tracked, numbers: dict[str, int]) -> tuple[FieldCount, ...]:
    return bars_of(numbers, partial(field_label, tracked.model), lambda name: f"?model={tracked.label}&field={name}")


def _shown(changeset: Changeset, counts: Counts, query: ChangesQuery, sees: Sees, thread: Thread) -> dict[str, Any]:
    sql = Sql()
    selection = selection_of(sql, query.tracked, changeset, filters=query.filters)
    of_model = counts[query.tracked.label]
    number = None if changeset.counts is None else _number(query, of_model)
    if number is None:
        start, (pairs, number) = query.start, page_and_count(sql, selection, start=query.start, limit=SHOWN)
        if query.start and not number:
            start, (pairs, number) = 0, page_and_count(sql, selection, start=0, limit=SHOWN)
    else:
        start = query.start if query.start < number else 0
        pairs = pairs_on_page(sql, selection, start=start, limit=SHOWN) if number else []
    places = places_of(query.tracked, sees)
    model = query.tracked.filter_model
    known = {model: dict(places)} if model and len(places) < MOST_PLACES else None
    rows = _rows(query.tracked, changes_between(query.tracked, pairs, known=known, sees=sees), changeset, thread)
    return {
        "query": query,
        "rows": rows,
        "number": number,
        "plural": str(query.tracked.model._meta.verbose_name_plural),
        "first": start + 1,
        "last": start + len(rows),
        "before": query.address(start=max(0, start - SHOWN)) if start else "",
        "after": query.address(start=start + SHOWN) if start + SHOWN < number else "",
        "csv_url": links.download_url(changeset.pk, "csv") + query.address(),
        "json_url": links.download_url(changeset.pk, "json") + query.address(),
        **_filters(query, of_model, places),
    }


def _number(query: ChangesQuery, of_model: dict[str, int]) -> int | None:
    """How many changes there are to show, as far as the stored counts tell."""
    if query.filters.needs_values:
        return None
    return of_model.get(query.filters.operation, 0) if query.filters.operation else total({"": of_model})


def _rows(tracked: Tracked, changes: list[Change], changeset: Changeset, thread: Thread) -> list[Row]:
    urls = links.urls_of(tracked.label, [change.pk for change in changes], changeset=changeset.pk)
    few = len(changes) <= FEW
    keys = [row_key_of(tracked, change.after or change.before) for change in changes]
    comments = thread.numbers(tracked, keys)
    return [
        Row(
            change=change,
            url=urls.get(change.pk, ""),
            moved=move_of(change),
            unfolded=few and change.operation == "deleted",
            address=links.row_url(changeset.pk, tracked.label, key),
            comments=comments.get(key, 0),
        )
        for change, key in zip(changes, keys, strict=True)
    ]


def _filters(query: ChangesQuery, of_model: dict[str, int], places: list[tuple[Any, str]]) -> dict[str, Any]:
    """Return the choices of the filter form, and a chip with the way out of each filter that is on."""
    chosen, tracked = query.filters, query.tracked
    operations = [(name, SIGNS[name][1]) for name in OPERATIONS if of_model.get(name) or name == chosen.operation]
    fields = [(field.name, str(field.verbose_name)) for field in tracked.news if of_model.get("changed")]
    chips = [
        (words, query.address(start=0, **{name: ""}))
        for name, words in (
            ("operation", dict(operations).get(chosen.operation, "")),
            ("field", f"field: {dict(fields).get(chosen.field)}" if chosen.field else ""),
            ("place", _place_word(chosen.place, places) if chosen.place else ""),
            ("text", f"“{chosen.text}”" if chosen.text else ""),
        )
        if words
    ]
    return {
        "operations": operations,
        "fields": fields,
        "places": places,
        "place_name": place_name(tracked),
        "chips": chips,
        "unfiltered": f"?model={tracked.label}",
    }


def _place_word(wanted: str, places: list[tuple[Any, str]]) -> str:
    return next((word for key, word in places if str(key) == wanted), f"#{wanted}")


def _duration(changeset: Changeset) -> float | None:
    if changeset.finished_at is None:
        return None
    seconds = (changeset.finished_at - changeset.created_at).total_seconds()
    return round(seconds, 1) if seconds >= 1 else None


def revert_offer(changeset: Changeset, request: HttpRequest) -> dict[str, Any]:
    """Whether the person may revert, and if not why: a button that is missing needs a word."""
    try:
        refuse_unless_revertable(changeset)
    except NothingToRevert as refusal:
        return {"may_revert": False, "no_revert": str(refusal)}
    if not request.user.has_perm(links.REVERT):
        if is_own_edit(changeset, request.user):
            return {"may_revert": False, "undo_own_url": links.undo_own_url(changeset.pk)}
        return {"may_revert": False, "no_revert": "To revert it you need the permission to revert changesets."}
    words = "Undo this revert…" if changeset.kind == Kind.REVERT else "Revert…"
    return {"may_revert": True, "revert_url": links.revert_url(changeset.pk), "revert_words": words}


@method_decorator(require_safe)
@for_viewers
def download_page(model_admin: ModelAdmin, request: HttpRequest, pk: str, form: str) -> StreamingHttpResponse:
    """Stream the changes that the address asks for; without any query, those of all models that may be seen."""
    changeset = Changeset.objects.filter(pk=pk).first()
    if changeset is None:
        raise Http404(f"There is no changeset #{pk}.")
    if changeset.pruned_at is not None:
        raise Http404(f"The history of changeset #{pk} was pruned.")
    sees, counts = eyes_of(request.user), counts_of_many([changeset])[changeset.pk]
    query = read_changes_query(request, counts, sees) if request.GET else None
    write, content_type = FORMATS[form]
    model, filters = (query.tracked.label, query.filters) if query else (None, Filters())
    chosen = changes_of(changeset, model=model, filters=filters, sees=sees)
    parts = write(chosen, not_shown=not_shown(counts, sees))
    return stream_file(parts, f"changeset-{pk}.{form}", content_type=content_type)
