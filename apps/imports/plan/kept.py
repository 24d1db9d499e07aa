"""Corrections that are kept against new values of upstream: which ones, of which rows."""

from apps.imports.results import LISTED, KeptValue
from apps.imports.staging.tables import Staging
from apps.imports.staging.upstream_values import base


def list_kept(staging: Staging) -> list[KeptValue]:
    """Return the first corrections that are kept against new upstream values."""
    return [value for _line, value in kept_by_line(staging, limit=LISTED)][:LISTED]


def kept_by_line(staging: Staging, *, limit: int | None = None) -> list[tuple[int, KeptValue]]:
    """Return the kept values with the lines of the file, all of them or those of the first objects."""
    fields = staging.layout.merged
    triples = ", ".join(f"{base(staging, f)}, {staging.staged(f)}, l.{staging.column(f)}" for f in fields)
    # Base, new and current value of every field, for the objects that keep a correction.
    rows = staging.rows(
        """
        SELECT x.kept, x.line, x.old_pk, {triples} FROM {changed} x JOIN {staged} s ON s.line = x.line
        JOIN {live} l ON l.{pk} = x.old_pk WHERE x.kept > 0 ORDER BY x.line {few}
        """,
        triples=triples,
        few="" if limit is None else f"LIMIT {limit}",
    )
    return [
        (row[1], KeptValue(staging.pk_in_words(row[2]), field, *row[3 + 3 * place : 6 + 3 * place]))
        for row in rows
        for place, field in enumerate(fields)
        if row[0] >> place & 1
    ]
