"""The map of a changeset, a page of its own: what appeared, went and moved."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from apps.changesets.acts.methods import for_viewers, show_page
from apps.changesets.history.cache import reading_alias, remembered, state_of_tables
from apps.changesets.history.changeset_map import map_of_changes
from apps.changesets.history.counts import Counts, counts_of_many
from apps.changesets.history.maps import PackedMap
from apps.changesets.history.words import person
from apps.changesets.models import Changeset
from apps.changesets.pages import links
from apps.changesets.pages.changeset import lines_of
from apps.changesets.pages.maps import MapFigure, ShownMove, addresses_of, map_answer, named_moves
from apps.changesets.rights import eyes_of, may_view
from apps.changesets.tracking import Tracked, tracked_by_name, tracked_models


@method_decorator(require_safe)
@for_viewers
def changeset_map(model_admin: admin.ModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """Show what the changeset did on a map, and the farthest moves as a table."""
    changeset, counts = _changeset(pk)
    shown = on_maps(request, counts)
    wanted = tracked_by_name(request.GET.get("model", ""))
    chosen = wanted if wanted in shown else (shown[-1] if shown else None)
    context: dict[str, Any] = {
        "title": f"#{changeset.pk} {changeset.get_kind_display()} on the map",
        "subtitle": None,
        "opts": Changeset._meta,
        "changeset": changeset,
        "who": person(changeset),
        "lines": list(lines_of(changeset, counts, sees=eyes_of(request.user))),
        "choices": [
            (tracked.model._meta.verbose_name_plural, f"?model={tracked.label}", tracked is chosen) for tracked in shown
        ],
        "changes_url": links.changeset_url(changeset.pk),
    }
    if chosen is not None:
        packed = _packed(changeset, chosen, *_state(changeset))
        title = f"{chosen.model._meta.verbose_name_plural}".capitalize()
        address = f"{links.changeset_map_url(changeset.pk, data=True)}?model={chosen.label}"
        context |= {
            "map": MapFigure(f"{title} added, deleted and moved", [("Kind of change", address)], fit=True),
            "groups": packed.counted,
            "farthest": _named(changeset, chosen, packed),
            "model": chosen.model._meta,
        }
    return show_page(model_admin, request, "admin/changesets/changeset/map.html", context)


@method_decorator(require_safe)
@for_viewers
def changeset_map_data(model_admin: admin.ModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """Answer with the points of the map of a changeset, of the model that the address names."""
    changeset, counts = _changeset(pk)
    shown = on_maps(request, counts)
    label = request.GET.get("model")
    tracked = tracked_by_name(label) if label else (shown[-1] if shown else None)
    if tracked is None or tracked not in shown:
        raise Http404("The changeset touched nothing of this model that stands on a map.")
    state, using = _state(changeset)
    return map_answer(request, _name(changeset, tracked), state, lambda: _map(changeset, tracked, using))


def on_maps(request: HttpRequest, counts: Counts) -> list[Tracked]:
    """Return the models that a changeset touched, that have a place, and that the person may see."""
    return [
        tracked
        for tracked in tracked_models()
        if tracked.label in counts and tracked.point and may_view(request.user, tracked.model)
    ]


def map_page_url(changeset: Changeset, request: HttpRequest, counts: Counts) -> str:
    """Return the address of the changeset's map, or nothing where there is nothing to show on it."""
    shown = changeset.pruned_at is None and on_maps(request, counts)
    return links.changeset_map_url(changeset.pk) if shown else ""


def _changeset(pk: int) -> tuple[Changeset, Counts]:
    changeset = Changeset.objects.select_related("actor").filter(pk=pk).first() if pk < 2**63 else None
    if changeset is None:
        raise Http404(f"There is no changeset #{pk}.")
    return changeset, counts_of_many([changeset])[changeset.pk] if changeset.pruned_at is None else {}


def _state(changeset: Changeset) -> tuple[str, str]:
    """Return the state of the tables, and the database that it was read from."""
    using = reading_alias()
    return state_of_tables(using=using), using


def _packed(changeset: Changeset, tracked: Tracked, state: str, using: str) -> PackedMap:
    return remembered(f"map-{_name(changeset, tracked)}", state, lambda: _map(changeset, tracked, using))


def _map(changeset: Changeset, tracked: Tracked, using: str) -> PackedMap:
    return map_of_changes(
        changeset,
        tracked,
        changes_url=links.changeset_url(changeset.pk),
        addresses=addresses_of(tracked.model, page="history"),
        using=using,
    )


def _name(changeset: Changeset, tracked: Tracked) -> str:
    return f"changeset-{changeset.pk}-{tracked.name}"


def _named(changeset: Changeset, tracked: Tracked, packed: PackedMap) -> list[ShownMove]:
    """Return what moved farthest, in a few queries."""
    urls = links.urls_of(tracked.label, [move.key for move in packed.farthest], changeset=changeset.pk)
    return named_moves(tracked, packed.farthest, urls.__getitem__, changeset=changeset.pk)
