"""Template tags of a changeset's changes: bars, values, and old beside new with the changed words marked."""

from collections.abc import Iterable

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from apps.changesets.history.diff import FieldChange
from apps.changesets.pages import show
from apps.changesets.pages.changeset import Row
from apps.changesets.pages.word_diff import marked_texts

register = template.Library()
CLEARED = format_html('<ins class="cleared">{}</ins>', "cleared")


@register.simple_tag
def bar(percent: float) -> SafeString:
    """Return a bar as wide as the percentage; its number stands beside it."""
    return format_html(
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect width="{}" height="10"/></svg>',
        f"{max(percent, 0.5):.1f}",
    )


@register.simple_tag
def values_of(row: Row) -> SafeString:
    """Return the values of an object that came or went."""
    came = row.change.operation == "created"
    return _list((_label(field), show.value(field.new if came else field.old)) for field in row.news)


@register.simple_tag
def differences_of(row: Row) -> SafeString:
    """Return old and new value of each field; in long texts the changed words are marked."""
    return _list((_label(field), _difference(field)) for field in row.news)


def _difference(field: FieldChange) -> SafeString:
    marked = marked_texts(field.old, field.new)
    old, new = marked or (show.value(field.old), show.value(field.new))
    after = CLEARED if field.new is None or field.new == "" else format_html("<ins>{}</ins>", new)
    return format_html('<del>{}</del> <span class="arrow" aria-label="to">→</span> {}', old, after)


def _label(field: FieldChange) -> SafeString:
    return format_html('<span class="field">{}</span>', field.label)


def _list(lines: Iterable[tuple[SafeString, str]]) -> SafeString:
    return format_html('<ul class="fields">{}</ul>', format_html_join("", "<li>{} {}</li>", lines))
