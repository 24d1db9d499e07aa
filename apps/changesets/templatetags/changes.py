"""Template tags of changes: bars, and what became of an object's fields, with the changed words marked."""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from apps.changesets.history.diff import FieldChange
from apps.changesets.history.values import EMPTY
from apps.changesets.pages import show

register = template.Library()
LONG = 40
# Beyond this, comparing costs more than reading.
LONGEST = 4000
# Texts with less in common are two texts, not one with changes.
ALIKE = 0.3


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


def marked_texts(old: Any, new: Any) -> tuple[SafeString, SafeString] | None:
    """Return both texts with what differs marked; None where they are short, no texts, or have little in common."""
    if not (isinstance(old, str) and isinstance(new, str) and old and new):
        return None
    if not LONG < max(len(old), len(new)) <= LONGEST:
        return None
    words: list[list[str]] = [re.findall(r"\w+|\W", text) for text in (old, new)]
    matcher = SequenceMatcher(None, words[0], words[1], autojunk=False)
    if matcher.ratio() < ALIKE:
        return None
    steps = matcher.get_opcodes()
    before = format_html_join("", "{}", ((_part(words[0][a:b], tag),) for tag, a, b, _, _ in steps))
    after = format_html_join("", "{}", ((_part(words[1][a:b], tag),) for tag, _, _, a, b in steps))
    return before, after


def _part(words: list[str], tag: str) -> str:
    text = "".join(words)
    return text if tag == "equal" or not text else format_html("<mark>{}</mark>", text)
