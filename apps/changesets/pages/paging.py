"""Pages of long lists."""

from functools import cached_property
from typing import Any, cast

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet


class KeysFirstPaginator(Paginator):
    """Finds the keys of a page before it reads its rows, so that joined tables are not sorted and skipped along."""

    def page(self, number: int | str) -> Page:
        page = super().page(number)
        if isinstance(page.object_list, QuerySet) and isinstance(self.object_list, QuerySet):
            keys = list(page.object_list.values_list("pk", flat=True))
            page.object_list = self.object_list.filter(pk__in=keys)
        return page


class KeysOncePaginator(KeysFirstPaginator):
    """Finds the keys of all pages at once: what is searched for is read once, to be counted and to be shown."""

    @cached_property
    def count(self) -> int:
        return len(self._keys)

    @cached_property
    def _keys(self) -> list[Any]:
        return list(cast(QuerySet, self.object_list).values_list("pk", flat=True))

    def page(self, number: int | str) -> Page:
        page = Paginator.page(self, number)
        keys = self._keys[page.start_index() - 1 : page.end_index()] if self.count else []
        page.object_list = cast(QuerySet, self.object_list).filter(pk__in=keys)
        return page
