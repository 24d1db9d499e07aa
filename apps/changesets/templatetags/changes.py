"""Template tags of changes: bars, and what became of an object's fields, with the changed words marked."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.changesets.history.diff import FieldChange
from apps.changesets.history.values import EMPTY
from apps.changesets.pages import show
from apps.changesets.pages.word_diff import marked_texts

register = template.Library()


@register.simple_tag
def bar(percent: float) -> SafeString:
    """Return a bar as wide as the percentage; its number stands beside it."""
    return format_html(
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect width="{}" height="10"/></svg>',
        f"{max(percent, 0.5):.1f}",
    )


@register.inclusion_tag("admin/parts/value_change.html")
def value_change(operation: str, fields: Iterable[FieldChange], unfolded: bool = False) -> dict[str, Any]:
    """Show what became of the fields of an object: the values that came or went, or old beside new.

    Fields that follow from others are left out.
    """
    came, whole = operation == "created", operation in ("created", "deleted")
    news = [field for field in fields if not field.derived]
    return {
        "came": came,
        "whole": whole,
        "unfolded": unfolded,
        "fields": [_shown(field, mark=not whole) for field in news],
    }


def _shown(field: FieldChange, *, mark: bool) -> dict[str, Any]:
    marked = marked_texts(field.old, field.new) if mark else None
    old, new = marked or (show.value(field.old), show.value(field.new))
    return {"label": field.label, "old": old, "new": new, "cleared": field.new in EMPTY}
