"""The bulk actions of the lists of airports, countries and cities, and which permission each takes."""

from apps.airports.bulk import links
from apps.changesets.bulk.setting import SET_ACTIVE, SET_INACTIVE
from apps.changesets.pages.bulk_registry import BulkAction, register_actions

CLEAR_LINKS = "airports.clear_links"
AIRPORT, COUNTRY, CITY = "airports.airport", "base.country", "base.city"


def activating(label: str) -> tuple[BulkAction, BulkAction]:
    """Return the two actions that set objects of a model active and inactive; who may change one may do both."""
    app, _, model = label.partition(".")
    may = f"{app}.change_{model}"
    return (
        BulkAction("set_active", "Set active…", "Set {what} active", may, SET_ACTIVE),
        BulkAction("set_inactive", "Set inactive…", "Set {what} inactive", may, SET_INACTIVE),
    )


register_actions(
    AIRPORT,
    BulkAction("clear_country", "Clear country…", "Clear country on {what}", CLEAR_LINKS, links.CLEAR_COUNTRY),
    BulkAction("clear_city", "Clear city…", "Clear city on {what}", CLEAR_LINKS, links.CLEAR_CITY),
    *activating(AIRPORT),
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
    *activating(COUNTRY),
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
    *activating(CITY),
)
