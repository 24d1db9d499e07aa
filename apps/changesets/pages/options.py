"""The form of what a bulk action asks for besides the reason."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest


class OptionsForm(forms.Form):
    """The options of an action; `objects` are the selected ones. Every field has an initial value."""

    def __init__(self, data: Any, *, objects: QuerySet):
        self.objects = objects
        super().__init__(data)

    def stand_on(self, model_admin: admin.ModelAdmin, request: HttpRequest) -> None:
        """Take what the page knows: the admin of the model, and the person who asks."""

    def take(self, posted: Any) -> None:
        """Take what was posted, if any of the fields was."""
        if any(name in posted for name in self.fields):
            self.data, self.is_bound = posted, True

    def options(self) -> dict[str, Any]:
        """Return what was chosen, or what is proposed where nothing was yet."""
        if self.is_bound and self.is_valid():
            return self.cleaned_data
        return {name: self.get_initial_for_field(field, name) for name, field in self.fields.items()}
