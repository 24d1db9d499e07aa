"""Which bulk actions the list of a model offers: apps declare theirs, also for models of the apps below them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import QuerySet

from apps.changesets.bulk.operations import Operation


class OptionsForm(forms.Form):
    """What else an action asks for; `objects` are those selected. Every field has a proposal to start from."""

    def __init__(self, data: Any, *, objects: QuerySet):
        self.objects = objects
        super().__init__(data)

    def take(self, posted: Any) -> None:
        """Take what was posted, if any of the fields was."""
        if any(name in posted for name in self.fields):
            self.data, self.is_bound = posted, True

    def options(self) -> dict[str, Any]:
        """Return what was chosen, or what is proposed where nothing was yet."""
        if self.is_bound and self.is_valid():
            return self.cleaned_data
        return {name: self.get_initial_for_field(field, name) for name, field in self.fields.items()}


@dataclass(frozen=True)
class BulkAction:
    """An action of a list: its name is what is posted, `title` what the page and the button say of `{what}`."""

    name: str
    label: str
    title: str
    permission: str
    operation: Operation
    danger: bool = False
    form: Callable[..., OptionsForm] = OptionsForm


_actions: dict[str, dict[str, BulkAction]] = {}


def register_actions(label: str, *actions: BulkAction) -> None:
    """Let the list of a model (a label) offer the actions, in this order."""
    _actions.setdefault(label, {}).update({action.name: action for action in actions})


def actions_of(label: str) -> dict[str, BulkAction]:
    """Return the actions of a model's list by name."""
    return _actions.get(label, {})
