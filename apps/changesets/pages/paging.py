"""Pages of long lists."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, cast

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

# So many rows of a plan.
A_PAGE = 100


def rows_on_page(
    rows: QuerySet[Any], *, start: int, number: int | None, address: Callable[..., str], unread: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the rows of a stored plan from `start`, or the first ones where there are none, with the ways to others.

    `number` is how many there are, None where they must be counted; `unread` are fields that nobody asks for. The keys
    of the page are found first, so that the rows before it are not read.
    """
    number = rows.count() if number is None else number
    start = start if start < number else 0
    keys = rows.values("pk")[start : start + A_PAGE]
    found = rows.model._base_manager.using(rows.db).filter(pk__in=keys).order_by(*rows.query.order_by)
    page = list(found.defer(*unread)) if number else []
    return {
        "rows": page,
        "row_number": number,
        "first": start + 1,
        "last": start + len(page),
        "before": address(start=max(0, start - A_PAGE)) if start else "",
        "after": address(start=start + A_PAGE) if start + A_PAGE < number else "",
        "page_number": start // A_PAGE + 1,
        "page_count": -(-number // A_PAGE),
    }


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
