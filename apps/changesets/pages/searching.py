"""How the lists of tracked models, and the places where an object is chosen, search and sort: alike everywhere."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import get_fields_from_path
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR, ChangeList
from django.core.exceptions import FieldDoesNotExist
from django.core.paginator import Paginator
from django.db.models import CharField, F, QuerySet, TextField
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import OrderBy
from django.http import HttpRequest

from apps.changesets.fields import target_of
from apps.changesets.history.object_search import best_first, search
from apps.changesets.pages.choices import CompletingSelect
from apps.changesets.pages.paging import KeysFirstPaginator, KeysOncePaginator
from apps.changesets.text import searched
from apps.changesets.tracking import tracked_for

# The search where an object is chosen, in Django's address of it.
TERM = "term"


class _SortedAlike(ChangeList):
    """A list that both databases sort alike by a column: whatever the case, and what is empty last."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet) -> list[Any]:
        ordering = super().get_ordering(request, queryset)
        # Unasked, the list is sorted by an index.
        return [_alike(self.model, part) for part in ordering] if ORDER_VAR in self.params else ordering

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if isinstance(self.paginator, KeysOncePaginator) and not self.multi_page:
            # Django reads all that a single page has without asking the paginator, which knows the keys.
            self.result_list = self.paginator.page(1).object_list


class SearchingAdmin(admin.ModelAdmin):
    """The part of a tracked model's admin that searches `search_fields`, the best first."""

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, term: str) -> tuple[QuerySet, bool]:
        return search(queryset, self.get_search_fields(request), term, tracked=tracked_for(self.model)), False

    def get_ordering(self, request: HttpRequest) -> tuple[Any, ...]:
        ordering: tuple[Any, ...] = tuple(super().get_ordering(request) or self.opts.ordering or ())
        fields, term = self.get_search_fields(request), _term(request)
        if not term or not fields or getattr(request, "acts_only", False):
            return ordering
        return best_first(self.model, fields, term), *ordering

    def get_paginator(self, request: HttpRequest, *args: Any, **named: Any) -> Paginator:
        return (KeysOncePaginator if _term(request) else KeysFirstPaginator)(*args, **named)

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = CompletingSelect(db_field, self.admin_site, using=kwargs.get("using"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return type("SortedAlike", (_SortedAlike, super().get_changelist(request, **kwargs)), {})


def _term(request: HttpRequest) -> str:
    return searched(request.GET.get(SEARCH_VAR) or request.GET.get(TERM) or "").strip()


def _alike(model: Any, part: Any) -> Any:
    """Return a part of an ordering such that both databases sort alike by it."""
    if not isinstance(part, str):
        return part
    name, descending = part.removeprefix("-"), part.startswith("-")
    try:
        fields = get_fields_from_path(model, name)
        while fields[-1].is_relation and (ordering := target_of(fields[-1])._meta.ordering):
            # As Django sorts by a link: by what its target is sorted by first.
            name = LOOKUP_SEP.join([name, str(ordering[0])])
            fields = get_fields_from_path(model, name)
    except FieldDoesNotExist:
        return part
    if isinstance(fields[-1], CharField | TextField):
        name = f"{name}__folded"
    return OrderBy(F(name), descending=descending, nulls_last=any(field.null for field in fields) or None)
