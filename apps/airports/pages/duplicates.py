"""The form of resolving duplicates: the rule for all groups, and which airport keeps the code in each."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from apps.airports.bulk.duplicates import CLEAR, DELETE, first_groups, keep_field
from apps.changesets.pages.options import OptionsForm

# How many groups are shown to choose in; the others follow the rule.
GROUPS = 25


class DuplicatesForm(OptionsForm):
    """What happens to the other airports, and which one keeps the code; the largest is proposed."""

    rule = forms.ChoiceField(
        label="The others",
        choices=[(CLEAR, "lose the code"), (DELETE, "are deleted")],
        initial=CLEAR,
        required=False,
    )

    def __init__(self, data: Any, *, objects: QuerySet):
        super().__init__(data, objects=objects)
        groups = first_groups(objects, GROUPS)
        if not groups:
            del self.fields["rule"]
        for group in groups:
            self.fields[keep_field(group.code)] = forms.ChoiceField(
                label=f"{group.code} is kept by",
                choices=[(airport.pk, group.described(airport)) for airport in group.airports],
                initial=group.proposed.pk,
                required=False,
                widget=forms.RadioSelect,
            )

    def options(self) -> dict[str, Any]:
        """Return the choices that differ from the proposal."""
        return {
            name: value for name, value in super().options().items() if value not in ("", self.fields[name].initial)
        }
