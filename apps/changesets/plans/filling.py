"""SQL that fills the rows of a stored plan: values now and after as JSON, and what the rows are found by."""

from collections.abc import Mapping

from django.db import models

from apps.changesets.fields import AnyField, column_of, field_of
from apps.changesets.models import StoredPlan, StoredRow
from apps.changesets.plans.rows import PassingRow
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked

COLUMNS = ("plan_id", "model", "bucket", "partly", "object_pk", "label", "fields", "places", "changes", "notes")
# JSON has no infinity.
_LARGEST = "1.7e308"
# What a field is set to, as SQL: `w."name"`.
After = Mapping[AnyField, str]


def with_rows(sql: Sql, plan: StoredPlan) -> Sql:
    """Return one that also knows the table of the plan's {rows}, its columns {stored}, and the number of the {plan}."""
    known = sql.with_names(stored=COLUMNS).with_parts(plan=str(plan.pk or 0))
    if plan.passing:
        return known.with_temps(rows=PassingRow._meta.db_table)
    return known.with_names(rows=StoredRow._meta.db_table)


def after_in(sql: Sql, tracked: Tracked, alias: str) -> dict[AnyField, str]:
    """Return what the fields of a model are set to where a table with its columns says so."""
    return {field: f"{alias}.{sql.quote(column_of(field))}" for field in tracked.news}


def changes_sql(sql: Sql, after: After) -> str:
    """Return the SQL of what changes of the live row `l`: `{"name": ["now", "after"]}`."""
    parts = [
        f"CASE WHEN {differs(sql, field, value)} THEN ',\"{field.name}\":[' || {_json(sql, field, _live(sql, field))} "
        f"|| ',' || {_json(sql, field, value)} || ']' ELSE '' END"
        for field, value in after.items()
    ]
    text = f"'{{' || SUBSTR({' || '.join(parts) or repr('')}, 2) || '}}'"
    return f"CAST({text} AS jsonb)" if sql.postgresql else text


def fields_sql(conditions: Mapping[str, str]) -> str:
    """Return the SQL of the names of fields whose condition is met: `|name|city|`."""
    parts = [f"CASE WHEN {condition} THEN '{name}|' ELSE '' END" for name, condition in conditions.items()]
    return " || ".join(["'|'", *parts])


def places_sql(sql: Sql, tracked: Tracked, *aliases: str) -> str:
    """Return the SQL of the keys of its place, in the row of each alias that has one: `|12|13|`."""
    if tracked.filter_by is None:
        return "''"
    column = sql.quote(column_of(field_of(tracked.model, tracked.filter_by)))
    return " || ".join(["'|'", *(f"coalesce(CAST({alias}.{column} AS text) || '|', '')" for alias in aliases)])


def label_sql(sql: Sql, tracked: Tracked, alias: str) -> str:
    """Return the SQL of what an object is called."""
    name = sql.quote("name" if "name" in tracked.columns else tracked.pk)
    return f"SUBSTR(coalesce(CAST({alias}.{name} AS text), ''), 1, 255)"


def object_sql(sql: Sql, values: Mapping[str, str]) -> str:
    """Return the SQL of a JSON object."""
    pairs = ", ".join(f"'{name}', {value}" for name, value in values.items())
    return f"{'jsonb_build_object' if sql.postgresql else 'json_object'}({pairs})"


def differs(sql: Sql, field: AnyField, value: str) -> str:
    """Return the condition that a field of the live row `l` has another value."""
    return f"{_live(sql, field)} IS DISTINCT FROM {value}"


def _live(sql: Sql, field: AnyField) -> str:
    return f"l.{sql.quote(column_of(field))}"


def _json(sql: Sql, field: AnyField, value: str) -> str:
    """Return the SQL of a value as JSON; SQLite's own JSON would round numbers to 15 digits."""
    if sql.postgresql:
        typed = f"CAST({value} AS {field.rel_db_type(sql.connection) or 'text'})"
        return f"coalesce(CAST(to_json({typed}) AS text), 'null')"
    if isinstance(field, models.FloatField):
        return f"CASE WHEN abs({value}) < {_LARGEST} THEN printf('%!.17g', {value}) ELSE 'null' END"
    return f"json_quote({value})"
