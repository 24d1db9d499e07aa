"""The bulk actions of the list of airports, and those that airports add to the lists of countries and cities."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from apps.airports.bulk import links, relinking
from apps.airports.bulk.duplicates import CLEAR, DELETE, first_groups, keep_field
from apps.airports.bulk.duplicates import RESOLVE_DUPLICATES as DUPLICATES
from apps.changesets.pages.bulk_registry import ACTIONS, BulkAction, Tool, deleting_recent
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


CLEAR_LINKS = "airports.clear_links"
RELINK = "airports.relink"
RESOLVE = "airports.resolve_duplicates"
RECENT = "airports.delete_recent_import"
AIRPORT, COUNTRY, CITY = "airports.airport", "base.country", "base.city"
# The buttons of places.
RELINK_ITS = Tool("Relink its airports…", "Link them to the places that their codes name")
CLEAR_FROM_ITS = Tool("Clear from its airports…", "Remove their links to it")

ACTIONS.add(
    BulkAction(
        "clear_country",
        "Clear country…",
        "Clear country on {what}",
        CLEAR_LINKS,
        links.CLEAR_COUNTRY,
        tool=Tool("Clear country…", "Remove its link to a country"),
    ),
    BulkAction(
        "clear_city",
        "Clear city…",
        "Clear city on {what}",
        CLEAR_LINKS,
        links.CLEAR_CITY,
        tool=Tool("Clear city…", "Remove its link to a city"),
    ),
    BulkAction(
        "relink",
        "Relink…",
        "Relink {what}",
        RELINK,
        relinking.RELINK,
        tool=Tool("Relink…", "Link it to the country and city that its codes name"),
    ),
    BulkAction("clear_iata", "Clear IATA code…", "Clear the IATA code of {what}", RESOLVE, links.CLEAR_IATA),
    BulkAction(
        "resolve_duplicates",
        "Resolve duplicate IATA codes…",
        "Resolve {what}",
        RESOLVE,
        DUPLICATES,
        danger=True,
        form=DuplicatesForm,
    ),
    deleting_recent(RECENT),
    to=AIRPORT,
)
ACTIONS.add(
    BulkAction(
        "clear_country",
        "Clear the country of their airports…",
        "Clear country on {what}",
        CLEAR_LINKS,
        links.CLEAR_COUNTRY_OF_PLACES,
        tool=CLEAR_FROM_ITS,
    ),
    BulkAction(
        "relink", "Relink their airports…", "Relink {what}", RELINK, relinking.RELINK_OF_COUNTRIES, tool=RELINK_ITS
    ),
    deleting_recent(RECENT),
    to=COUNTRY,
)
ACTIONS.add(
    BulkAction(
        "clear_city",
        "Clear the city of their airports…",
        "Clear city on {what}",
        CLEAR_LINKS,
        links.CLEAR_CITY_OF_PLACES,
        tool=CLEAR_FROM_ITS,
    ),
    BulkAction(
        "relink", "Relink their airports…", "Relink {what}", RELINK, relinking.RELINK_OF_CITIES, tool=RELINK_ITS
    ),
    deleting_recent(RECENT),
    to=CITY,
)
