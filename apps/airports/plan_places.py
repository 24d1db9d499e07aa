"""The countries and cities that a plan would make, so that its page can name them."""

from typing import Any

from apps.imports.staging.tables import Staging

# So many of each are named.
_NAMED = 200


def look_for_places(staging: Staging) -> dict[str, Any]:
    """Return the names of the countries and cities to be made, under the names of their counts; none where none is.

    The cities come in the order of the file, each with the line that names it first.
    """
    countries = staging.rows(
        """
        SELECT w.iso_country, MIN(w.line) FROM {writes} w
        WHERE w.iso_country IN (SELECT iso_code FROM imports_new_countries) GROUP BY w.iso_country
        ORDER BY w.iso_country LIMIT {limit}
        """,
        limit=str(_NAMED),
    )
    cities = staging.rows(
        "SELECT name, iso_country, line FROM imports_cities ORDER BY line LIMIT {limit}", limit=str(_NAMED)
    )
    places = {
        "countries_created": [{"name": code, "line": line} for code, line in countries],
        "cities_created": [{"name": name, "code": code, "line": line} for name, code, line in cities],
    }
    return {name: named for name, named in places.items() if named}
