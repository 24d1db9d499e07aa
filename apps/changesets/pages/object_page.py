"""The page of one object: its name, its form, and beside it the last changes, the neighbours on a map, and origins."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern

from apps.changesets.acts.methods import for_viewers, page_at
from apps.changesets.history.maps import FINE, Group, Point, pack
from apps.changesets.history.renames import KeyHistory
from apps.changesets.history.timeline import entries_of
from apps.changesets.history.values import field_label
from apps.changesets.pages import links
from apps.changesets.pages.maps import MapFigure, addresses_of, packed_answer
from apps.changesets.pages.moved_on import had_this_key
from apps.changesets.pages.nearby import PARAMETER, around
from apps.changesets.pages.version import may_go_back
from apps.changesets.rights import eyes_of
from apps.changesets.tracking import tracked_for

LAST_CHANGES = 3
# A map of neighbours is as wide as it takes to have a few of them, and shows no more points than these.
REACHES_KM = (25.0, 100.0, 400.0)
FEW, MOST = 5, 1000


class ObjectPageAdmin(admin.ModelAdmin):
    """Shows an object under its name, with what one looks for beside the form; a base of RecordedModelAdmin."""

    change_form_template = "admin/changesets/object_page.html"

    def get_urls(self) -> list[URLPattern]:
        return [page_at("<path:object_id>/neighbours.json", self, neighbours_map, "neighbours"), *super().get_urls()]

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        if obj is not None:
            context |= {"title": str(obj), "subtitle": None, **self._beside(request, obj)}
            notes = getattr(context["adminform"].form, "notes", {})
            context["notes"] = [(field_label(self.model, name), of_field.line) for name, of_field in notes.items()]
        return super().render_change_form(request, context, add, change, form_url, obj)

    def _beside(self, request: HttpRequest, obj: models.Model) -> dict[str, Any]:
        tracked = tracked_for(self.model)
        of_key = KeyHistory(tracked, obj.pk)
        rows: list[Any] = list(of_key.rows().select_related("changeset", "changeset__actor")[:LAST_CHANGES])
        entries = entries_of(tracked, rows, sees=eyes_of(request.user))
        for row, entry in zip(rows, entries, strict=True):
            row.entry, row.key = entry, getattr(row, self.opts.pk.attname)
        context: dict[str, Any] = {"last_changes": rows, "lives": True, "tracked_label": tracked.label}
        if (place := place_of(obj)) is not None:
            address = links.object_url(self.model, obj.pk, page="neighbours")
            context["neighbours"] = MapFigure(
                "On the map", [("Neighbours", address)], id="neighbours", fit=True, close=True
            )
            context["list_around"] = f"{links.list_url(self.model)}?{PARAMETER}={place[0]:.2f},{place[1]:.2f},100"
        return context | {
            # An old link may mean the object that had this one's key before.
            "had_this_key": had_this_key(of_key),
            "may_go_back": may_go_back(self, request, lives=True),
        }


@for_viewers
def neighbours_map(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Answer with the data of the map of an object and of those of its model around it."""
    obj = model_admin.get_object(request, object_id)
    if obj is None:
        raise Http404
    meta = obj._meta
    groups = (
        Group("this", f"this {meta.verbose_name}", "large"),
        Group("around", f"{meta.verbose_name_plural} around it", "medium"),
    )
    place = place_of(obj)
    points = [] if place is None else [Point(0, str(obj.pk), *place), *_around(obj, place)]
    return packed_answer(request, pack(groups, points, addresses=addresses_of(type(obj)), scale=FINE).body)


def place_of(obj: models.Model) -> tuple[float, float] | None:
    """Return the latitude and longitude of an object, or None for one without a place on the map."""
    values = [getattr(obj, name) for name in _point_fields(obj)]
    return None if len(values) != 2 or None in values else (float(values[0]), float(values[1]))


def _point_fields(obj: models.Model) -> list[str]:
    tracked = tracked_for(type(obj))
    return [tracked.fields_by_column[column].name for column in tracked.point or ()]


def _around(obj: models.Model, place: tuple[float, float]) -> Iterator[Point]:
    names = _point_fields(obj)
    others = type(obj)._base_manager.exclude(pk=obj.pk).order_by()
    rows: list[Any] = []
    for km in REACHES_KM:
        rows = list(others.filter(around(*place, km, point=names)).values_list("pk", *names)[:MOST])
        if len(rows) >= FEW:
            break
    return (Point(1, str(key), latitude, longitude) for key, latitude, longitude in rows)
