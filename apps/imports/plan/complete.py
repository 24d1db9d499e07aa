"""Completing new objects: values that their rows do not have, worked out by the completer of the spec."""

from apps.imports.staging.tables import Staging

_CHUNK = 5000


def complete(staging: Staging) -> None:
    """Fill the table of completed values, and that of new primary keys, for the rows that create an object."""
    if staging.spec.makes_keys:
        _make_keys(staging)
    if staging.spec.completer:
        staging.empty("imports_completed")
        staging.spec.completer.plan(staging)


def _make_keys(staging: Staging) -> None:
    staging.empty("imports_made_keys")
    pk = staging.spec.model._meta.pk
    pages = staging.pages(
        "SELECT line FROM {created} WHERE {after} ORDER BY line LIMIT {limit}", by="line", size=_CHUNK
    )
    with staging.writing():
        for lines in pages:
            made = ((line, pk.get_db_prep_save(pk.get_default(), staging.connection)) for (line,) in lines)
            staging.load("imports_made_keys", ["line", "pk"], made)


def completed_join(staging: Staging, rows: str) -> str:
    """Return the LEFT JOINs that find the completed values and the key of the rows under alias `rows`."""
    joins = []
    if staging.spec.completer:
        joins.append("LEFT JOIN {completed} n ON n.line = {rows}.line")
    if staging.spec.makes_keys:
        joins.append("LEFT JOIN {made_keys} k ON k.line = {rows}.line")
    return staging.fill(" ".join(joins), rows=rows)


def completed_value(staging: Staging, field: str, rows: str) -> str:
    """Return the SQL for a completed field under that join: the value of the row, unless it is blank."""
    completed = f"n.{staging.quote(field)}"
    if field not in staging.stored:
        return completed
    own = f"{rows}.{staging.quote(field)}"
    blank = f"NULLIF({own}, '')" if staging.spec.model._meta.get_field(field).empty_strings_allowed else own
    return f"COALESCE({blank}, {completed})"
