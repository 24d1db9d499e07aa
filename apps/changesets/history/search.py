"""One search over all changesets: which touched an object, a field, a country.

Objects are found once, by key through the index and by name in one reading of each table; from there the history
tables are entered by key. No changeset is opened on its own.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, Model, Q, QuerySet

from apps.changesets.errors import TooManyObjects
from apps.changesets.fields import column_of, field_of
from apps.changesets.history.selection import contains, pattern, stored_place
from apps.changesets.models import Changeset
from apps.changesets.rights import Sees
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_by_name, tracked_models

# A word that fits more objects than this is no search for an object.
MOST_OBJECTS = 5000


@dataclass(frozen=True)
class Wanted:
    """What a changeset must have touched: an object (key or name, also former ones), a field as `airport.name`, a
    place (the key of what models are filtered by, such as a country). Empty is anything.
    """

    object: str = ""
    field: str = ""
    place: str = ""


def changesets_that_touched(wanted: Wanted, *, sees: Sees) -> QuerySet[Changeset]:
    """Return the changesets that touched all of what is wanted; of an object, that object's field and place.

    Only objects that may be seen are found, and only by places that may be. Raises TooManyObjects when the text fits
    too many to be meant.
    """
    sql, changesets = Sql(), Changeset.objects.using("default")
    chosen, field = _field(wanted.field)
    place = place_model()
    if (wanted.field and field is None) or (wanted.place and place and not sees(place)):
        return changesets.none()
    numbers: set[int] = set()
    by_count = Q()
    for tracked in (chosen,) if chosen else tracked_models():
        if not sees(tracked.model):
            continue
        if wanted.object:
            numbers |= _by_object(sql, tracked, wanted, field)
        elif wanted.place and tracked.filter_model is place_model():
            numbers |= _by_place(sql, tracked, wanted.place)
        if field is not None and not wanted.object:
            by_count = Q(**{f"field_counts__{tracked.label}__has_key": field.name})
            by_count |= Q(pk__in=_uncounted(sql, tracked, field))
    if wanted.object or wanted.place:
        changesets = changesets.filter(pk__in=numbers)
    return changesets.filter(by_count)


def place_model() -> type[Model] | None:
    """Return the model of the places that changesets are found by: what the first tracked model is filtered by."""
    return next((tracked.filter_model for tracked in tracked_models() if tracked.filter_model), None)


def objects_called(sql: Sql, tracked: Tracked, text: str) -> list[Any]:
    """Return every key under which objects stand or stood that have, or had, the text as key or in their name."""
    sql = sql.with_model(tracked)
    names = [name for name in ("name",) if name in tracked.columns]
    codes = [f"upper({sql.quote(code)}) = %s" for code in _codes(tracked)]
    values = [text.upper()] * len(codes)
    values += [pattern(text) for _ in names]
    # Those that have the text, and those that had it.
    keys = sql.firsts(
        """
        SELECT {pk} FROM {live} WHERE {fits} UNION SELECT {pk} FROM {history} WHERE {fits} LIMIT {limit}
        """,
        [*values, *values],
        fits=" OR ".join([*codes, *(contains(sql, sql.quote(name)) for name in names)]) or "FALSE",
        limit=str(MOST_OBJECTS + 1),
    )
    if len(keys) > MOST_OBJECTS:
        raise TooManyObjects(f"“{text}” fits more than {MOST_OBJECTS:,} objects: write more of the name.")
    if not keys or tracked.stable_key is None:
        return keys
    # The same objects under the other keys that they have or had.
    former = sql.firsts(
        """
        SELECT DISTINCT {pk} FROM {history} WHERE {stable} IN (
            SELECT {stable} FROM {history} WHERE {pk} IN ({marks}) AND {stable} IS NOT NULL
        )
        """,
        keys,
        marks=sql.marks(keys),
    )
    return [*{*keys, *former}]


def _codes(tracked: Tracked) -> list[str]:
    """The text columns of which each alone tells an object: an ident, an ISO code."""
    single = [columns[0] for columns in tracked.unique_sets if len(columns) == 1]
    return [column for column in single if isinstance(tracked.fields_by_column[column], CharField)]


def _by_object(sql: Sql, tracked: Tracked, wanted: Wanted, field: Any) -> set[int]:
    """The changesets of the objects' history rows; with a field, of those in which it differs from the row before."""
    keys = objects_called(sql, tracked, wanted.object)
    if not keys:
        return set()
    conditions, params = ["TRUE"], list(keys)
    if field is not None:
        conditions.append("place_in_line > 1 AND old IS DISTINCT FROM new")
    if wanted.place:
        if tracked.filter_model is not place_model():
            return set()
        conditions.append("place = %s")
        params.append(stored_place(sql, tracked, wanted.place))
    # Each row of the objects with the value that it took the place of.
    numbers = sql.with_model(tracked).firsts(
        """
        SELECT DISTINCT changeset_id FROM (
            SELECT changeset_id, {column} AS new, {place} AS place, lag({column}) OVER same AS old,
                   row_number() OVER same AS place_in_line
            FROM {history} WHERE {pk} IN ({marks})
            WINDOW same AS (PARTITION BY coalesce(CAST({object} AS text), CAST({pk} AS text)) ORDER BY history_id)
        ) r WHERE {conditions}
        """,
        params,
        column=sql.quote(field.column if field is not None else tracked.pk),
        object=sql.quote(tracked.stable_key or tracked.pk),
        place=_place_column(sql, tracked) if wanted.place else "NULL",
        marks=sql.marks(keys),
        conditions=" AND ".join(conditions),
    )
    return set(numbers)


def _by_place(sql: Sql, tracked: Tracked, place: str) -> set[int]:
    # Whatever changed an object that was, or then is, of the place.
    numbers = sql.with_model(tracked).firsts(
        "SELECT DISTINCT changeset_id FROM {history} WHERE {column} = %s",
        [stored_place(sql, tracked, place)],
        column=_place_column(sql, tracked),
    )
    return set(numbers)


def _uncounted(sql: Sql, tracked: Tracked, field: Any) -> list[int]:
    """The changesets without stored counts, direct writes mostly, that changed the field of an object."""
    return sql.with_model(tracked).firsts(
        """
        SELECT DISTINCT a.changeset_id FROM {changesets} c JOIN {history} a ON a.changeset_id = c.id
        JOIN {history} b ON b.history_id = (
            SELECT max(p.history_id) FROM {history} p WHERE p.{pk} = a.{pk} AND p.history_id < a.history_id
        )
        WHERE c.field_counts IS NULL AND a.history_type = '~' AND {differ}
        """,
        changesets=sql.quote(Changeset._meta.db_table),
        differ=sql.differ([field.column], "b", "a"),
    )


def _place_column(sql: Sql, tracked: Tracked) -> str:
    if tracked.filter_by is None:
        return "NULL"
    return sql.quote(column_of(field_of(tracked.model, tracked.filter_by)))


def _field(name: str) -> tuple[Tracked | None, Any]:
    """Return model and field of `airport.name`; None for what does not exist."""
    model, _, field_name = name.partition(".")
    tracked = tracked_by_name(model) if field_name else None
    return tracked, next((field for field in tracked.news if field.name == field_name), None) if tracked else None
