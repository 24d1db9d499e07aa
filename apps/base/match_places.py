"""Which city a place of a file is about: by country and comparable name; an ambiguous or far one is refused."""

from django.utils.text import get_text_list

from apps.base.models import City, Country
from apps.changesets.fields import column_of
from apps.changesets.tracking import Tracked, tracked_models
from apps.imports.plan.distance import haversine, refuse_far
from apps.imports.results import REFUSALS_LISTED, Refusal, RefusedRows
from apps.imports.staging.tables import Staging

_NAMED = 5
_HINT = "{km} from the nearest of what the city is linked with, such as its airports: it is another one of this name"


def match_cities(staging: Staging) -> RefusedRows:
    """Match each staged place with its city; refuse ambiguous ones, and those far from what the city is linked with."""
    number, refusals = _match_by_names(staging)
    far, listed = refuse_far_from_linked(staging)
    return RefusedRows(number + far, [*refusals, *listed])


def _match_by_names(staging: Staging) -> RefusedRows:
    """Match by name, then by ASCII name.

    The name decides first. A place whose name no city has is matched by its ASCII name, among the comparable and
    the ASCII names of those cities that no place matched so far.
    """
    _match_by_name(staging)
    if "ascii_name" not in staging.layout.fields:
        return _refuse_ambiguous(staging)
    _collect_ascii_names(staging)
    total, refusals = _refuse_undecided(staging)
    # Places that fit exactly one city by their ASCII name.
    staging.run(
        "INSERT INTO {matched} (line, old_pk) SELECT DISTINCT p.line, p.old_pk FROM ({places}) p",
        places=_by_ascii_name(staging),
    )
    staging.run("DROP TABLE imports_ascii_names")
    ambiguous, listed = _refuse_ambiguous(staging)
    return RefusedRows(total + ambiguous, [*refusals, *listed])


def _match_by_name(staging: Staging) -> None:
    # Places with the comparable name of a city of their country.
    staging.run(
        """
        INSERT INTO {matched} (line, old_pk) SELECT s.line, l.{pk} FROM {staged} s
        JOIN {country} c ON c.iso_code = s.country_code
        JOIN {live} l ON l.country_id = c.id AND l.search_name = s.place_search
        """,
        country=_country(staging),
    )


def _collect_ascii_names(staging: Staging) -> None:
    """Make an indexed table of the names by which cities not matched so far are known: comparable and ASCII."""
    staging.run("DROP TABLE IF EXISTS imports_ascii_names")
    staging.index_temp("imports_matched", ["old_pk"])
    staging.run(
        """
        CREATE TEMP TABLE imports_ascii_names AS
        SELECT c.iso_code, l.search_name AS name, l.{pk} AS old_pk
        FROM {live} l JOIN {country} c ON c.id = l.country_id WHERE {unmatched}
        UNION
        SELECT c.iso_code, LOWER(l.ascii_name), l.{pk}
        FROM {live} l JOIN {country} c ON c.id = l.country_id WHERE l.ascii_name <> '' AND {unmatched}
        """,
        country=_country(staging),
        unmatched=staging.fill("NOT EXISTS (SELECT 1 FROM {matched} m WHERE m.old_pk = l.{pk})"),
    )
    staging.index_temp("imports_ascii_names", ["name", "iso_code"])
    staging.analyze("imports_ascii_names", ["name"])


def _by_ascii_name(staging: Staging) -> str:
    """Return a SELECT of the places not matched so far and the cities with their ASCII name: line and old_pk."""
    return staging.fill(
        """
        SELECT s.line, a.old_pk FROM {staged} s
        JOIN imports_ascii_names a ON a.name = s.ascii_search AND a.iso_code = s.country_code
        WHERE NOT EXISTS (SELECT 1 FROM {matched} m WHERE m.line = s.line)
        """
    )


def _refuse_undecided(staging: Staging) -> RefusedRows:
    """Refuse places whose ASCII name several cities have."""
    staging.run("DELETE FROM {blocked}")
    # Places that fit more than one city.
    staging.run(
        """
        INSERT INTO {blocked} (line, holder) SELECT p.line, COUNT(DISTINCT p.old_pk) FROM ({places}) p
        GROUP BY p.line HAVING COUNT(DISTINCT p.old_pk) > 1
        """,
        places=_by_ascii_name(staging),
    )
    # Which cities each of them fits.
    rows = staging.rows(
        """
        SELECT DISTINCT p.line, s.place_name, l.{pk}, l.name FROM ({places}) p
        JOIN {blocked} b ON b.line = p.line JOIN {staged} s ON s.line = p.line JOIN {live} l ON l.{pk} = p.old_pk
        ORDER BY p.line, l.{pk} LIMIT {limit}
        """,
        places=_by_ascii_name(staging),
        limit=str(REFUSALS_LISTED),
    )
    cities: dict[tuple[int, str], list[str]] = {}
    for line, place, pk, name in rows:
        cities.setdefault((line, place), []).append(f"{name} (id {pk})")
    refusals = [
        Refusal(line, "name", place, "ambiguous", f"it may be {_some(fitting)}; which is not guessed")
        for (line, place), fitting in cities.items()
    ]
    return RefusedRows(staging.refuse_blocked(), refusals)


def _refuse_ambiguous(staging: Staging) -> RefusedRows:
    """Refuse all places of which several are about one city."""
    staging.run("DELETE FROM {blocked}")
    # Places that share their city with another place.
    staging.run(
        """
        INSERT INTO {blocked} (line, holder) SELECT line, old_pk FROM {matched}
        WHERE old_pk IN (SELECT old_pk FROM {matched} GROUP BY old_pk HAVING COUNT(*) > 1)
        """
    )
    # Which place is about which city.
    rows = staging.rows(
        """
        SELECT s.line, s.place_name, l.{pk}, l.name FROM {blocked} b JOIN {staged} s ON s.line = b.line
        JOIN {matched} m ON m.line = b.line JOIN {live} l ON l.{pk} = m.old_pk
        ORDER BY l.{pk}, s.line LIMIT {limit}
        """,
        limit=str(REFUSALS_LISTED),
    )
    lines: dict[int, list[str]] = {}
    for line, _place, pk, _name in rows:
        lines.setdefault(pk, []).append(str(line))
    hint = "lines {} may each be {} (id {}); which is not guessed: leave one in the file"
    refusals = [
        Refusal(line, "name", place, "ambiguous", hint.format(_some(lines[pk]), name, pk))
        for line, place, pk, name in rows
    ]
    return RefusedRows(staging.refuse_blocked(), refusals)


def _some(words: list[str]) -> str:
    """Return some words in a row, the first few of many."""
    if len(words) > _NAMED:
        words = [*words[:_NAMED], "others"]
    return get_text_list(words, "and")


def _country(staging: Staging) -> str:
    return staging.quote(Country._meta.db_table)


def refuse_far_from_linked(staging: Staging) -> RefusedRows:
    """Refuse places that would move their city over 150 km away from everything linked with it that has a position."""
    if not {"latitude", "longitude"} <= staging.layout.fields:
        return RefusedRows(0, [])
    linked = [_distances(staging, tracked, link) for tracked in tracked_models() for link in _links(tracked)]
    if not linked:
        return RefusedRows(0, [])
    return refuse_far(staging, " UNION ALL ".join(linked), point=("latitude", "longitude"), hint=_HINT)


def _links(tracked: Tracked) -> list[str]:
    """Return the columns by which a model that has a position is linked with cities."""
    fields = tracked.model._meta.concrete_fields if tracked.point else []
    return [column_of(field) for field in fields if field.related_model is City]


def _distances(staging: Staging, tracked: Tracked, link: str) -> str:
    latitude, longitude = (f"a.{staging.quote(column)}" for column in tracked.point or ())
    return staging.fill(
        """
        SELECT m.line, {haversine} AS haversine FROM {matched} m
        JOIN {staged} s ON s.line = m.line JOIN {live} l ON l.{pk} = m.old_pk JOIN {linked} a ON a.{link} = l.{pk}
        WHERE s.latitude IS NOT NULL AND s.longitude IS NOT NULL AND {known}
        AND (s.latitude IS DISTINCT FROM l.latitude OR s.longitude IS DISTINCT FROM l.longitude)
        """,
        haversine=haversine("s.latitude", "s.longitude", latitude, longitude),
        linked=staging.quote(tracked.table),
        link=staging.quote(link),
        known=f"{latitude} IS NOT NULL AND {longitude} IS NOT NULL",
    )
