"""The forms about backups: which sort to make, and the name without which nothing is restored."""

from typing import Any

from django import forms
from django.utils.html import format_html

from apps.backups.kinds import FULL, kinds
from apps.backups.pages.words import ASKED_FOR, KINDS
from apps.changesets.pages.choices import offer

_TEXT = {"class": "vTextField", "autocomplete": "off"}


class CreateForm(forms.Form):
    """What sort of backup, and a label."""

    kind = forms.ChoiceField(initial=FULL, widget=forms.RadioSelect)
    label = forms.CharField(max_length=200, required=False, widget=forms.TextInput(attrs=_TEXT))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        registered = [kind for kind in ASKED_FOR if kind in kinds()]
        shown = '<b>{}</b> <span class="quiet">{}</span>'
        offer(self, "kind", [(kind, format_html(shown, KINDS[kind], ASKED_FOR[kind])) for kind in registered])


class NameForm(forms.Form):
    """The name of the backup, typed."""

    name = forms.CharField(max_length=200, required=False, widget=forms.TextInput(attrs=_TEXT))

    def __init__(self, *args: Any, wanted: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wanted = wanted

    def clean_name(self) -> str:
        """Refuse any other name: this is what keeps a wrong click from being a restore."""
        typed = self.cleaned_data["name"].strip()
        if typed != self.wanted:
            raise forms.ValidationError(f"Type the name of the backup, {self.wanted}: nothing was restored.")
        return typed
