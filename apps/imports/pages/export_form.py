"""The form of an export: import-export's, with the formats as a list to choose from, each with a line of help."""

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from import_export.forms import ExportForm

from apps.changesets.pages.choices import offer
from apps.imports.export.formats import SUGGESTED, WritesTables


class KeysField(forms.MultipleChoiceField):
    """Primary keys of the ticked rows; the page queries them, so no list of all keys is needed to check them."""

    widget = forms.MultipleHiddenInput

    def valid_value(self, value: str) -> bool:
        return True


class FormatForm(ExportForm):
    """Asks for the format; carries the keys of the rows when some were ticked."""

    format = forms.ChoiceField(label="Format", widget=forms.RadioSelect)
    export_items = KeysField(required=False)

    def _init_formats(self, formats: Sequence[type[WritesTables]]) -> None:
        self.formats = formats
        offer(self, "format", [(str(i), form().get_title().upper()) for i, form in enumerate(formats)])
        self.fields["format"].initial = str(formats.index(SUGGESTED)) if SUGGESTED in formats else "0"

    def formats_to_choose(self) -> Iterator[tuple[Any, str]]:
        """Yield the radio button of each format and its line of help."""
        return zip(self["format"], (form.help for form in self.formats), strict=True)

    def chosen(self) -> WritesTables:
        """Return the format that a valid form asks for."""
        return self.formats[int(self.cleaned_data["format"])]()
