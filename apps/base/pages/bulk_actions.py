"""The bulk actions of the lists of countries and cities, beside those that every list has."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from apps.base.bulk.merging import MERGE_CITY, proposed_target
from apps.base.models import Country
from apps.changesets.pages.bulk_registry import ACTIONS, BulkAction, deleting_selected
from apps.changesets.pages.options import OptionsForm


class MergeForm(OptionsForm):
    """Which city takes the links of the others; proposed is the selected one that has most."""

    target = forms.CharField(
        label="Into the city",
        max_length=255,
        required=False,
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
        help_text="Name or number of a city of the same country.",
    )

    def __init__(self, data: Any, *, objects: QuerySet):
        super().__init__(data, objects=objects)
        # Asked for only where nothing was chosen.
        self.fields["target"].initial = lambda: proposed_target(objects)


ACTIONS.add(deleting_selected(Country, "cities"), to="base.country")
ACTIONS.add(
    BulkAction(
        "merge_city",
        "Merge into another city…",
        "Merge {what}",
        "base.merge_city",
        MERGE_CITY,
        danger=True,
        form=MergeForm,
    ),
    to="base.city",
)
