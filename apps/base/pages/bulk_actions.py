"""The bulk actions of the lists of countries and cities, beside those that every list has."""

from apps.base.bulk.merging import MERGE_CITY
from apps.base.models import Country
from apps.base.pages.merging import MergeForm
from apps.changesets.pages.bulk_registry import ACTIONS, BulkAction, deleting_selected

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
