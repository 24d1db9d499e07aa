"""The bulk actions of the lists of airports, countries and cities, and which permission each takes."""

from apps.airports.bulk import links, relinking
from apps.airports.bulk.duplicates import RESOLVE_DUPLICATES as DUPLICATES
from apps.airports.pages.duplicates import DuplicatesForm
from apps.base.bulk.merging import MERGE_CITY
from apps.base.pages.merging import MergeForm
from apps.changesets.bulk.deleting import deleting
from apps.changesets.bulk.recent import DELETE_RECENT_IMPORT
from apps.changesets.bulk.setting import SET_ACTIVE, SET_INACTIVE
from apps.changesets.pages.bulk_registry import BulkAction, register_actions

CLEAR_LINKS = "airports.clear_links"
RELINK = "airports.relink"
RESOLVE = "airports.resolve_duplicates"
RECENT = "airports.delete_recent_import"
AIRPORT, COUNTRY, CITY = "airports.airport", "base.country", "base.city"


def activating(label: str) -> tuple[BulkAction, BulkAction]:
    """Return the two actions that set objects of a model active and inactive; who may change one may do both."""
    app, _, model = label.partition(".")
    may = f"{app}.change_{model}"
    return (
        BulkAction("set_active", "Set active…", "Set {what} active", may, SET_ACTIVE),
        BulkAction("set_inactive", "Set inactive…", "Set {what} inactive", may, SET_INACTIVE),
    )


def removing(label: str, *along: str) -> tuple[BulkAction, BulkAction]:
    """Return the two actions that delete objects of a model: those selected, and what the newest import created."""
    app, _, model = label.partition(".")
    delete, recent = "Delete {what}", "Delete {what} of the newest import"
    return (
        BulkAction(
            "delete_recent_import", "Delete what the newest import created…", recent, RECENT, DELETE_RECENT_IMPORT, True
        ),
        BulkAction("delete_selected", "Delete…", delete, f"{app}.delete_{model}", deleting(*along), True),
    )


register_actions(
    AIRPORT,
    BulkAction("clear_country", "Clear country…", "Clear country on {what}", CLEAR_LINKS, links.CLEAR_COUNTRY),
    BulkAction("clear_city", "Clear city…", "Clear city on {what}", CLEAR_LINKS, links.CLEAR_CITY),
    BulkAction("relink", "Relink…", "Relink {what}", RELINK, relinking.RELINK),
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
    *activating(AIRPORT),
    *removing(AIRPORT),
)
register_actions(
    COUNTRY,
    BulkAction(
        "clear_country",
        "Clear the country of their airports…",
        "Clear country on {what}",
        CLEAR_LINKS,
        links.CLEAR_COUNTRY_OF_PLACES,
    ),
    BulkAction("relink", "Relink their airports…", "Relink {what}", RELINK, relinking.RELINK_OF_COUNTRIES),
    *activating(COUNTRY),
    *removing(COUNTRY, "cities"),
)
register_actions(
    CITY,
    BulkAction(
        "clear_city",
        "Clear the city of their airports…",
        "Clear city on {what}",
        CLEAR_LINKS,
        links.CLEAR_CITY_OF_PLACES,
    ),
    BulkAction("relink", "Relink their airports…", "Relink {what}", RELINK, relinking.RELINK_OF_CITIES),
    BulkAction(
        "merge_city",
        "Merge into another city…",
        "Merge {what}",
        "base.merge_city",
        MERGE_CITY,
        danger=True,
        form=MergeForm,
    ),
    *activating(CITY),
    *removing(CITY),
)
