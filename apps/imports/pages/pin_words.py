"""How pins and corrected values are spoken of on pages."""

from typing import Any

from django.db import models
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.changesets.history.values import value_label
from apps.changesets.pages import show
from apps.imports.models import Pin
from apps.imports.plan.pins import pinned_by

VIEW, ADD, DELETE = "imports.view_pin", "imports.add_pin", "imports.delete_pin"


def pin_words(made: Pin | None) -> SafeString | str:
    """Return who pinned it, when and why; nothing where nobody did."""
    if made is None:
        return ""
    return format_html("pinned by {}, {}: {}", pinned_by(made), show.moment(made.created_at), show.quoted(made.note))


def shown_value(field: models.Field, value: Any) -> Any:
    """Return a value to read: choices and yes and no in words, whole numbers with separators."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return show.value(value_label(field, value))
