"""What pins add to the admin of a model: a line beside each field, the pages to pin and unpin, the corrections."""

from collections.abc import Sequence
from typing import Any

from django.contrib.admin.utils import quote
from django.db import models
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.changesets.acts.methods import page_at
from apps.changesets.fields import field_of
from apps.changesets.history.stable_key import object_key_of
from apps.changesets.history.values import field_label
from apps.changesets.pages import links
from apps.changesets.pages.origins import add_note
from apps.changesets.pages.recorded import RecordedModelAdmin
from apps.imports.models import Pin
from apps.imports.pages.corrections import corrections_file, corrections_page, end_corrections_page
from apps.imports.pages.pin_page import deletion_page, pin_page
from apps.imports.pages.pin_words import ADD, DELETE, VIEW, pin_words, shown_value
from apps.imports.plan.corrections import upstream_of
from apps.imports.plan.pins import pinnable_fields, pinned_deletions, pins_of
from apps.imports.registry import has_spec


class PinningMixin(RecordedModelAdmin):
    """Pins for the admin of a model that imports fill; stands before RecordedModelAdmin among the bases."""

    def get_urls(self) -> list[URLPattern]:
        return [
            page_at("corrections/", self, corrections_page, "corrections"),
            page_at("corrections/download/", self, corrections_file, "corrections_file"),
            page_at("corrections/end/", self, end_corrections_page, "end_corrections"),
            page_at("keep-deleted/<int:row>/", self, deletion_page, "keep_deleted"),
            page_at("<path:object_id>/pin/<str:field>/", self, pin_page, "pin"),
            *super().get_urls(),
        ]

    def list_tools(self, request: HttpRequest) -> list[tuple[str, str]]:
        tools = super().list_tools(request)
        return [*tools, (links.model_url(self.model, "corrections"), "Corrections")] if has_spec(self.model) else tools

    def get_form(self, request: HttpRequest, obj: models.Model | None = None, change: bool = False, **kw: Any) -> Any:
        """Add notes to each field: another value of upstream, and its pin."""
        form = super().get_form(request, obj, change=change, **kw)
        if change and obj is not None and not getattr(request, "is_version_page", False):
            self._add_pins(form, request, obj)
        return form

    def remarks_on_deleted(self, request: HttpRequest, rows: Sequence[Any]) -> dict[int, str]:
        """Return a remark for each deleted object: whether imports may bring it back, with the link to decide that."""
        remarks = super().remarks_on_deleted(request, rows)
        if not rows or not request.user.has_perm(VIEW):
            return remarks
        pins = pinned_deletions(self.model)
        decides = self.has_delete_permission(request) and _may_pin(request)
        return remarks | {row.history_id: self._deletion_remark(row, pins, decides=decides) for row in rows}

    def _deletion_remark(self, row: Any, pins: dict[str, Pin], *, decides: bool) -> str:
        made = pins.get(object_key_of(row.instance))
        pinned = format_html("Kept deleted: {}", pin_words(made)) if made else ""
        if not decides:
            return format_html('<span class="origin">{}</span>', pinned) if made else ""
        words = "Let imports bring it back…" if made else "Keep it deleted…"
        link = format_html('<a href="{}">{}</a>', links.model_url(self.model, "keep_deleted", row.history_id), words)
        return format_html('<span class="origin">{} {}</span>', pinned, link)

    def _add_pins(self, form: Any, request: HttpRequest, obj: models.Model) -> None:
        sees = request.user.has_perm(VIEW)
        pins = pins_of(obj) if sees else {}
        decides = sees and self.has_change_permission(request, obj) and _may_pin(request)
        for name in pinnable_fields(type(obj)):
            for state in (_upstream_line(obj, name), pin_words(pins.get(name))):
                if state:
                    add_note(form, name, state, state=True)
            if decides:
                add_note(form, name, self._pin_link(obj, name, pinned=name in pins))

    def _pin_link(self, obj: models.Model, name: str, *, pinned: bool) -> SafeString:
        words = "Unpin…" if pinned else "Pin…"
        label = f"{words} {field_label(type(obj), name)}"
        return format_html(
            '<a href="{}" aria-label="{}">{}</a>', links.model_url(self.model, "pin", quote(obj.pk), name), label, words
        )


def _upstream_line(obj: models.Model, name: str) -> SafeString | str:
    known, upstream = upstream_of(obj, name)
    if not known or upstream == getattr(obj, name):
        return ""
    return format_html("<b>upstream says {}</b>", shown_value(field_of(type(obj), name), upstream))


def _may_pin(request: HttpRequest) -> bool:
    return request.user.has_perm(ADD) or request.user.has_perm(DELETE)
