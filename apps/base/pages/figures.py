"""Figures about places that other apps know: a column in the list and a line on the page of each place."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import Count, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from apps.changesets.hooks import Hook
from apps.changesets.pages.maps import MapFigure
from apps.changesets.rights import may_view


@dataclass(frozen=True)
class Figure:
    """How many rows point to a place: under which heading, of which rows, and the query of the list that has them.

    `rows` gives the rows to count, `link` the field that points to the place; KEY in `query` is the place's key.
    """

    name: str
    label: str
    link: str
    rows: Callable[[], QuerySet]
    url: Callable[[Any], str]

    @property
    def model(self) -> type[models.Model]:
        """The model whose rows are counted."""
        return self.rows().model

    def expression(self) -> Coalesce:
        """Return the number as an expression over places: looked up by the index of the link, for the rows shown."""
        counted = self.rows().filter(**{self.link: OuterRef("pk")}).order_by().values(self.link)
        return Coalesce(Subquery(counted.annotate(number=Count("pk")).values("number")), Value(0))


@dataclass(frozen=True)
class Panel:
    """What the page of a place shows under its form: coverage of links, and a map with its table.

    `types` has each type of what is on the map: its name, how many, how many of them without a city, and their list.
    """

    coverage: tuple[tuple[str, int, int, float], ...] = ()
    map: MapFigure | None = None
    notes: tuple[tuple[str, str], ...] = ()
    types: tuple[tuple[str, int, int, str], ...] = ()


# Figures for the list and the pages of a model, by its label; and what says what its pages show under the form.
FIGURES: Hook[Figure] = Hook()
PANELS: Hook[Callable[[HttpRequest, Any], Panel | None]] = Hook()


class FiguresMixin(admin.ModelAdmin):
    """Shows the registered figures of a model to those who may see what is counted."""

    change_form_template = "admin/base/place.html"

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [*super().get_list_display(request), *map(_column, self._figures(request))]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Count where a list is shown, sorted or exported; the paginator counts only what stands on the page."""
        rows = super().get_queryset(request)
        match = request.resolver_match
        if match is None or not str(match.url_name).endswith(("_changelist", "_export")):
            return rows
        return rows.annotate(**{f"{figure.name}_number": figure.expression() for figure in self._figures(request)})

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
            panel = next((make(request, obj) for make in PANELS.of(self.opts.label_lower)), None)
            context |= {"figures": self._numbers(request, obj), "panel": panel}
            context |= {"map": panel.map if panel else None}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def _figures(self, request: HttpRequest) -> list[Figure]:
        return [figure for figure in FIGURES.of(self.opts.label_lower) if may_view(request.user, figure.model)]

    def _numbers(self, request: HttpRequest, obj: models.Model) -> list[tuple[str, int, str]]:
        """Return label, number and address of each figure of one object; one query."""
        figures = self._figures(request)
        counted = self.model._base_manager.filter(pk=obj.pk).annotate(
            **{f"{figure.name}_number": figure.expression() for figure in figures}
        )
        numbers = counted.values(*(f"{figure.name}_number" for figure in figures)).first() if figures else None
        if numbers is None:
            return []
        return [(figure.label, numbers[f"{figure.name}_number"], figure.url(obj.pk)) for figure in figures]


def _column(figure: Figure) -> Callable[[Any], str]:
    """Return a column of the list: the number, leading to the rows, sorted by it."""

    @admin.display(description=figure.label, ordering=f"{figure.name}_number")
    def shown(place: Any) -> str:
        number = getattr(place, f"{figure.name}_number", 0)
        if not number:
            return "0"
        label = f"{number:,} {figure.label.lower()} of {place}"
        return format_html('<a href="{}" aria-label="{}">{}</a>', figure.url(place.pk), label, f"{number:,}")

    shown.__name__ = figure.name
    return shown
