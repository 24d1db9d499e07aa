"""The columns that a person chooses for a list; views of it keep them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from apps.changesets.models import COLUMNS
from apps.changesets.pages.saved_views import ALL, VIEW, SavedViewsAdmin

_TICK = "action_checkbox"


@dataclass(frozen=True)
class Column:
    """A column that a list may show."""

    name: str
    label: str
    shown: bool


class ViewFilter(admin.ListFilter):
    """Takes what only the page needs out of the address; it filters nothing and shows nothing."""

    title = "view"

    def __init__(self, request: HttpRequest, params: dict, model: Any, model_admin: Any):
        super().__init__(request, params, model, model_admin)
        for name in (COLUMNS, VIEW):
            params.pop(name, None)

    def has_output(self) -> bool:
        return False

    def expected_parameters(self) -> list[str | None]:
        return [COLUMNS, VIEW]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset


class ChosenColumns(ChangeList):
    """A list with the columns that its address names; those of the admin where it names none that there is."""

    def __init__(
        self, request: HttpRequest, model: Any, display: Sequence[Any], links_of: Any, *rest: Any, **named: Any
    ) -> None:
        tick = [name for name in display if name == _TICK]
        usual = {_name(column): column for column in display if column != _TICK}
        model_admin: Any = next(part for part in (*rest, *named.values()) if isinstance(part, admin.ModelAdmin))
        more = [name for name in model_admin.more_columns(request) if name not in usual]
        known = usual | {name: name for name in more}
        wanted = [name for name in request.GET.get(COLUMNS, "").split(",") if name in known]
        shown = dict.fromkeys(wanted or usual)
        labels = {name: str(label_for_field(column, model, model_admin)) for name, column in known.items()}
        # A column of the admin that is called as a field stands for it.
        taken = {labels[name].casefold() for name in usual}
        offered = [*usual, *(name for name in more if labels[name].casefold() not in taken)]
        self.columns = [Column(name, labels[name], name in shown) for name in offered]
        if wanted:
            display = [*tick, *(known[name] for name in shown)]
            if not {*map(_name, display)} & {*map(_name, links_of or ())}:
                links_of = [known[wanted[0]]]
        super().__init__(request, model, list(display), links_of, *rest, **named)

    def get_query_string(self, *args: Any, **named: Any) -> str:
        """Return an address of the list; one that asks for nothing would lead to the default view."""
        address = super().get_query_string(*args, **named)
        return ALL if address == "?" else address


class ListViewsAdmin(SavedViewsAdmin):
    """The part of an admin that lets people choose the columns of its list, and save views of it."""

    def more_columns(self, request: HttpRequest) -> list[str]:
        """Return the fields that the list may show besides its usual columns."""
        return []

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [ViewFilter, *super().get_list_filter(request)]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return type("ChosenColumns", (ChosenColumns, super().get_changelist(request, **kwargs)), {})

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        """Show the list, or lead to the person's default view of it where the address asks for nothing."""
        if request.method == "GET" and len(request.GET.getlist(COLUMNS)) > 1:
            # A form sends each ticked box apart.
            address = request.GET.copy()
            address[COLUMNS] = ",".join(request.GET.getlist(COLUMNS))
            return HttpResponseRedirect(f"{request.path}?{address.urlencode(safe=',')}")
        named = [(name, value) for name, value in request.GET.items() if name not in (COLUMNS, "p", "o")]
        context = {"without_columns": named, **(extra_context or {})}
        return self.with_views(
            request, lambda views: super(ListViewsAdmin, self).changelist_view(request, {**views, **context})
        )


def _name(column: Any) -> str:
    return column if isinstance(column, str) else column.__name__
