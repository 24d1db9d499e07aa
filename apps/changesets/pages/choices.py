"""What a form offers to choose from."""

from collections.abc import Iterable
from typing import Any

from django.forms import BaseForm, ChoiceField


def offer(form: BaseForm, name: str, choices: Iterable[tuple[Any, Any]]) -> None:
    """Offer these choices in a field of the form; raises LookupError for a field that offers none."""
    field = form.fields[name]
    if not isinstance(field, ChoiceField):
        raise LookupError(f"{name} is no field to choose in.")
    field.choices = list(choices)
