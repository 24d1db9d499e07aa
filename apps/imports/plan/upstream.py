"""The values of upstream that a matched row is kept with: those of the file, and the known ones that the file lacks."""

from apps.changesets.fields import field_of
from apps.imports.staging.tables import Staging


def new_upstream(staging: Staging) -> str:
    """Return the SQL for the new values of upstream of the live row `l`."""
    live, staged = staging.fill("l.{upstream}"), staging.fill("s.{upstream}")
    if not staging.spec.upstream:
        return "NULL"
    if staging.layout.corrections:
        return live
    if not staging.layout.lacking and not staging.layout.sparse:
        return staged
    joined = _joined_json(staging, live, staged) if staging.postgresql else _joined_text(staging, live, staged)
    if staging.layout.sparse:
        return joined
    # Most rows have nothing where the file has no column; what is staged says so, and nothing is put together.
    lacking = staging.layout.lacking
    nothing = " AND ".join(f"{_is_blank(staging, f)} AND {live} ->> '{f}' IS NULL" for f in lacking)
    return f"CASE WHEN {nothing} THEN {staged} ELSE {joined} END"


def _joined_json(staging: Staging, live: str, staged: str) -> str:
    if staging.layout.sparse:
        return f"COALESCE({live}, '{{}}') || {staged}"
    lacking = staging.layout.lacking
    blank = [f for f in lacking if field_of(staging.spec.model, f).null]
    # Later ones win: a blank, what the file says, what is known of the columns that it lacks.
    blanks = [f"CASE WHEN {_is_blank(staging, f)} THEN '{{\"{f}\": null}}' ELSE '{{}}' END::jsonb" for f in blank]
    known = f"COALESCE({live} - {_array(staging.layout.merged)}, '{{}}')"
    return " || ".join([*blanks, f"({staged} - {_array(lacking)})", known])


def _joined_text(staging: Staging, live: str, staged: str) -> str:
    """Return it put together as text, so that it stays exactly as Django's JSONField writes it."""
    lacking = [] if staging.layout.sparse else staging.layout.lacking
    values = {f: f"COALESCE({staged} -> '{f}', {live} -> '{f}')" for f in staging.spec.merged}
    for f in lacking:
        blank = f"CASE WHEN {_is_blank(staging, f)} THEN 'null' END" if field_of(staging.spec.model, f).null else "NULL"
        values[f] = f"COALESCE({live} -> '{f}', {blank})"
    parts = " || ".join(f"COALESCE(', \"{f}\": ' || {value}, '')" for f, value in values.items())
    return f"'{{' || SUBSTR({parts}, 3) || '}}'"


def _is_blank(staging: Staging, field: str) -> str:
    return f"l.{staging.column(field)} IS NULL"


def _array(fields: list[str]) -> str:
    return "ARRAY[" + ", ".join(f"'{field}'" for field in fields) + "]::text[]"
