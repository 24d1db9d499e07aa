"""The small line of each field of an object's page: where its present value comes from."""

from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from apps.changesets.history.origins import Origin, origins_of
from apps.changesets.pages import links, show


def show_origins(form: Any, obj: models.Model) -> None:
    """Write the origins into a form class that was made for this request, as help of its fields.

    Being help, they are read out with the field, and they stand there for fields that can only be read, too.
    """
    for name, origin in origins_of(obj).items():
        add_note(form, name, origin_words(origin))


@dataclass
class Notes:
    """What the page says of a field's value: its `state` always, the rest while the field is looked at."""

    plain_help: Any
    state: list[SafeString | str] = field(default_factory=list)
    more: list[SafeString | str] = field(default_factory=list)

    @property
    def line(self) -> SafeString:
        """All of it, as the table beside the form has it."""
        return _in_one_line([*self.more, *self.state])

    @property
    def help(self) -> SafeString:
        """The help of the field. Tab passes over its links: the table has them for the keyboard."""
        more = format_html('<span class="origin">{}</span>', _in_one_line(self.more)) if self.more else ""
        state = format_html('<span class="pin-line">{}</span>', _in_one_line(self.state)) if self.state else ""
        text = format_html_join(" ", "{}", ((part,) for part in (self.plain_help, state, more) if part))
        return mark_safe(text.replace("<a ", '<a tabindex="-1" '))  # noqa: S308 - it was safe


def add_note(form: Any, name: str, note: SafeString | str, *, state: bool = False) -> None:
    """Add a note to the help of a field of a form class that was made for this request."""
    if "notes" not in vars(form):
        form.notes, form._meta.help_texts = {}, dict(form._meta.help_texts or {})
    shown = form.base_fields.get(name)
    plain_help = shown.help_text if shown else form._meta.help_texts.get(name, "")
    notes = form.notes.setdefault(name, Notes(plain_help))
    (notes.state if state else notes.more).append(note)
    form._meta.help_texts[name] = notes.help
    if shown:
        shown.help_text = notes.help


def _in_one_line(parts: list[SafeString | str]) -> SafeString:
    return format_html_join(" · ", "{}", ((part,) for part in parts))


def origin_line(origin: Origin) -> SafeString:
    """Return who or what set a value, in which changeset and when, as the small line beside it."""
    return format_html('<span class="origin">{}</span>', origin_words(origin))


def origin_words(origin: Origin) -> SafeString:
    """Return who or what set a value, in which changeset and when."""
    back = origin.brought_back
    return format_html(
        '{} <a href="{}">#{}</a>, {}{}',
        origin.words,
        links.changeset_url(origin.changeset.pk),
        origin.changeset.pk,
        show.moment(origin.at),
        format_html(', brought back by <a href="{}">#{}</a>', links.changeset_url(back.pk), back.pk) if back else "",
    )
