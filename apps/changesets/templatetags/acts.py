"""Template tags of what is paged."""

from typing import Any

from django import template
from django.core.paginator import Page

register = template.Library()


@register.inclusion_tag("admin/parts/pager.html", takes_context=True)
def pager(context: template.Context, page: "Page[Any]", anchor: str = "") -> dict[str, Any]:
    """Show the ways to the pages around one of a Paginator; all else in the address stays."""

    def address(number: int) -> str:
        query = context["request"].GET.copy()
        query["p"] = number
        return f"?{query.urlencode()}"

    return {
        "before": address(page.number - 1) if page.has_previous() else "",
        "after": address(page.number + 1) if page.has_next() else "",
        "number": page.number,
        "of": page.paginator.num_pages,
        "anchor": anchor,
    }
