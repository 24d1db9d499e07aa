"""The form of resolving duplicates: the rule for all groups, and which airport keeps the code in each."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from apps.airports.bulk.duplicates import CLEAR, DELETE, duplicates_of, keep_field
from apps.changesets.pages.bulk_registry import OptionsForm

# So many groups are shown to choose in; further ones follow the rule.
GROUPS = 25


class DuplicatesForm(OptionsForm):
    """What becomes of the others, and which airport keeps its code; the large one is proposed."""

    rule = forms.ChoiceField(
        label="The others",
        choices=[(CLEAR, "lose the code"), (DELETE, "are deleted")],
        initial=CLEAR,
        required=False,
    )

    def __init__(self, data: Any, *, objects: QuerySet):
        super().__init__(data, objects=objects)
        for group in duplicates_of(objects)[:GROUPS]:
            self.fields[keep_field(group.code)] = forms.ChoiceField(
                label=f"{group.code} is kept by",
                choices=[(airport.pk, group.described(airport)) for airport in group.airports],
                initial=group.proposed.pk,
                required=False,
                widget=forms.RadioSelect,
            )

    def options(self) -> dict[str, Any]:
        """Return the choices; what was left open is the proposal."""
        chosen = super().options()
        return {name: value or self.fields[name].initial for name, value in chosen.items()}
