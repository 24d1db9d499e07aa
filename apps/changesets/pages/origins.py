"""The small line beside each field of an object's page: where its present value comes from."""

from typing import Any

from django.db import models
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.changesets.history.origins import Origin, origins_of
from apps.changesets.pages import links, show


def show_origins(form: Any, obj: models.Model) -> None:
    """Write the origins into a form class that was made for this request, as help of its fields.

    Being help, they are read out with the field, and they stand there for fields that can only be read, too.
    """
    add_lines(form, {name: origin_line(origin) for name, origin in origins_of(obj).items()})


def add_lines(form: Any, lines: dict[str, SafeString]) -> None:
    """Add a line to the help of fields, by name, of a form class that was made for this request."""
    help_texts = form._meta.help_texts or {}
    for name, field in form.base_fields.items():
        if name in lines:
            field.help_text = format_html("{} {}", field.help_text, lines[name]) if field.help_text else lines[name]
    form._meta.help_texts = {
        **help_texts,
        **{
            name: format_html("{} {}", help_texts[name], line) if help_texts.get(name) else line
            for name, line in lines.items()
        },
    }


def origin_line(origin: Origin) -> SafeString:
    """Return who or what set a value, in which changeset and when."""
    back = origin.brought_back
    return format_html(
        '<span class="origin">{} <a href="{}">#{}</a>, {}{}</span>',
        origin.words,
        links.changeset_url(origin.changeset.pk),
        origin.changeset.pk,
        show.moment(origin.at),
        format_html(', brought back by <a href="{}">#{}</a>', links.changeset_url(back.pk), back.pk) if back else "",
    )
