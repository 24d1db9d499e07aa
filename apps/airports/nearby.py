"""Airports that are probably one and the same: of one name and near each other, or at exactly the same point."""

from django.db import connections
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

NEAR_KM = 5
_DEGREE_KM = 111.195


def near_namesakes(rows: QuerySet) -> QuerySet:
    """Keep the airports that have one of the same comparable name within 5 km."""
    # A band of latitude first, which is quickly told; the few pairs left are measured.
    return _twins(
        rows,
        ("search_name",),
        "b.{latitude_deg} BETWEEN a.{latitude_deg} - %s AND a.{latitude_deg} + %s AND "
        "POWER((a.{latitude_deg} - b.{latitude_deg}) * %s, 2) + POWER((a.{longitude_deg} - b.{longitude_deg}) * %s "
        "* COS(RADIANS(a.{latitude_deg})), 2) < %s",
        [NEAR_KM / _DEGREE_KM, NEAR_KM / _DEGREE_KM, _DEGREE_KM, _DEGREE_KM, NEAR_KM**2],
    )


def at_one_point(rows: QuerySet) -> QuerySet:
    """Keep the airports that lie at exactly the same point as one of another name."""
    return _twins(rows, ("latitude_deg", "longitude_deg"), "b.{search_name} <> a.{search_name}", [])


def _twins(rows: QuerySet, alike: tuple[str, ...], condition: str, params: list) -> QuerySet:
    """Keep the rows that have another one with the same values of `alike`, under a condition on both, `a` and `b`."""
    meta, quote = rows.model._meta, connections[rows.db].ops.quote_name
    names = {field.name: quote(field.column) for field in meta.concrete_fields}
    table, pk, same = quote(meta.db_table), quote(meta.pk.column), ", ".join(names[field] for field in alike)
    columns = ", ".join({pk: 1} | {names[name]: 1 for name in ("search_name", "latitude_deg", "longitude_deg")})
    # The rows that are not alone with their values, which are few; of these the keys of rows that have a twin.
    pairs = (
        f"WITH alike AS MATERIALIZED (SELECT {columns} FROM {table} WHERE ({same}) IN "
        f"(SELECT {same} FROM {table} GROUP BY {same} HAVING COUNT(*) > 1)) "
        f"SELECT a.{pk} FROM alike a JOIN alike b ON {' AND '.join(f'b.{names[f]} = a.{names[f]}' for f in alike)} "
        f"AND b.{pk} <> a.{pk} AND {condition.format(**names)}"
    )
    return rows.filter(pk__in=RawSQL(pairs, params))  # noqa: S611 - names of our own fields, values are bound
