"""What a form offers to choose from."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.forms import BaseForm, ChoiceField


class CompletingSelect(AutocompleteSelect):
    """A link that completes what is typed; it shows a form again with what was posted, also where that is no key."""

    def optgroups(self, name: str, value: Sequence[str], attrs: dict[str, Any] | None = None) -> Any:
        # Django asks the database for each, and fails for what can be no key.
        return super().optgroups(name, [text for text in value if not text or self._may_be_key(text)], attrs)

    def _may_be_key(self, text: str) -> bool:
        try:
            self.field.target_field.clean(text, None)
        except ValidationError:
            return False
        return True


def offer(form: BaseForm, name: str, choices: Iterable[tuple[Any, Any]]) -> None:
    """Offer these choices in a field of the form; raises LookupError for a field that offers none."""
    field = form.fields[name]
    if not isinstance(field, ChoiceField):
        raise LookupError(f"{name} is no field to choose in.")
    field.choices = list(choices)
