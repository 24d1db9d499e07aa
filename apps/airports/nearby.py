"""Airports that are probably one and the same: of one name and near each other, or at exactly the same point."""

from django.db import connections
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

NEAR_KM = 5
_DEGREE_KM = 111.195


def near_namesakes(rows: QuerySet) -> QuerySet:
    """Keep the airports that have one of the same comparable name within 5 km."""
    # Both are joined by the name, for which the database makes itself an index; then few pairs are left to measure.
    return _twins(
        rows,
        "b.{search_name} = a.{search_name} AND "
        "b.{latitude_deg} BETWEEN a.{latitude_deg} - %s AND a.{latitude_deg} + %s AND "
        "POWER((a.{latitude_deg} - b.{latitude_deg}) * %s, 2) + POWER((a.{longitude_deg} - b.{longitude_deg}) * %s "
        "* COS(RADIANS(a.{latitude_deg})), 2) < %s",
        [NEAR_KM / _DEGREE_KM, NEAR_KM / _DEGREE_KM, _DEGREE_KM, _DEGREE_KM, NEAR_KM**2],
    )


def at_one_point(rows: QuerySet) -> QuerySet:
    """Keep the airports that lie at exactly the same point as one of another name."""
    return _twins(
        rows,
        "b.{latitude_deg} = a.{latitude_deg} AND b.{longitude_deg} = a.{longitude_deg} "
        "AND b.{search_name} <> a.{search_name}",
        [],
    )


def _twins(rows: QuerySet, condition: str, params: list) -> QuerySet:
    """Keep the rows that have another row under the condition on `a` and `b`, with columns named in holes."""
    meta, quote = rows.model._meta, connections[rows.db].ops.quote_name
    names = {field.name: quote(field.column) for field in meta.concrete_fields}
    table, pk = quote(meta.db_table), quote(meta.pk.column)
    # The keys of rows that have a twin.
    pairs = f"SELECT a.{pk} FROM {table} a JOIN {table} b ON {condition.format(**names)} AND b.{pk} <> a.{pk}"
    return rows.filter(pk__in=RawSQL(pairs, params))  # noqa: S611 - names of our own fields, values are bound
