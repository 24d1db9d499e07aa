"""Pins as an import meets them, in SQL: which live rows have pinned fields, which rows are of what stays deleted."""

from django.db import models

from apps.changesets.fields import field_of
from apps.changesets.history.stable_key import PRIMARY, STABLE
from apps.changesets.tracking import tracked_for
from apps.imports.models import Pin
from apps.imports.staging.tables import Staging
from apps.imports.staging.upstream_values import LiveTable


def load_pins(staging: Staging) -> frozenset[str]:
    """Fill the table `imports_pins` (old_pk, field) for the live rows; return the fields that some of them have pinned.

    `{pins}` is its name in a statement of the staging.
    """
    staging.run("DROP TABLE IF EXISTS {pins}")
    # Pinned fields of live rows; each once, whichever key the pin was made under.
    staging.run(
        "CREATE TEMP TABLE {pins} (old_pk {type}, field text, PRIMARY KEY (old_pk, field))",
        type=staging.column_type(staging.spec.natural),
    )
    # Pins by the key that stays, and by the primary key.
    text, params = pinned_rows(staging)
    staging.run(
        "INSERT INTO {pins} (old_pk, field) SELECT DISTINCT p.old_pk, p.field FROM ({rows}) p", params, rows=text
    )
    staging.analyze("imports_pins", ["old_pk", "field"])
    return frozenset(staging.firsts("SELECT DISTINCT field FROM {pins}"))


def is_pinned(staging: Staging, field: str) -> str:
    """Return the SQL condition: this field of the live row `l` is pinned; `load_pins` comes first."""
    return staging.fill("EXISTS (SELECT 1 FROM {pins} p WHERE p.old_pk = l.{pk} AND p.field = '{field}')", field=field)


def leave_deleted(staging: Staging) -> int:
    """Set the rows about deleted objects that stay deleted aside; return how many they are.

    They are the rows that match no live object and have the key of a pinned deletion.
    """
    staging.run("DELETE FROM {stays_deleted}")
    if not load_pinned_gone(staging):
        return 0
    spec, fields = staging.spec, staging.layout.fields
    about = [
        staging.fill(
            "s.{column} IN (SELECT g.{place} FROM {pinned_gone} g WHERE g.{place} IS NOT NULL)",
            column=staging.quote(field),
            place=place,
        )
        for field, place, _ in _keys(staging)
        if field in fields
    ]
    key, natural, label = (
        staging.quote(field) if field in fields else "NULL" for field in (spec.key, spec.natural, spec.label)
    )
    # Which rows they are.
    staging.run(
        """
        INSERT INTO {stays_deleted} (line, natural_value, label)
        SELECT s.line, {natural}, {label} FROM {staged} s
        WHERE NOT EXISTS (SELECT 1 FROM {matched} m WHERE m.line = s.line) AND ({about})
        """,
        natural=natural,
        label=label,
        about=" OR ".join(about) or "FALSE",
    )
    # The file has them, and they are left out, not refused.
    staging.run(
        """
        INSERT INTO {seen} (line, key_value, natural_value, refused)
        SELECT line, {key_value}, {natural}, FALSE FROM {staged} WHERE line IN (SELECT line FROM {stays_deleted})
        """,
        key_value=key,
        natural=natural,
    )
    return staging.run("DELETE FROM {staged} WHERE line IN (SELECT line FROM {stays_deleted})")


def load_pinned_gone(staging: Staging) -> int:
    """Fill the table `imports_pinned_gone` (key_value, natural_value) with the deleted objects that stay deleted.

    Each row has one of the two. Objects that live again are left out. Returns how many rows there are.
    """
    spec = staging.spec
    staging.run("DROP TABLE IF EXISTS {pinned_gone}")
    # Objects that stay deleted, by one key or the other.
    staging.run(
        "CREATE TEMP TABLE {pinned_gone} (key_value {key_type}, natural_value {natural_type})",
        key_type=staging.column_type(spec.key or spec.natural),
        natural_type=staging.column_type(spec.natural),
    )
    found = 0
    for field, place, kind in _keys(staging):
        # Pinned deletions under this sort of key, unless an object has it.
        found += staging.run(
            """
            INSERT INTO {pinned_gone} ({place}) SELECT {value} FROM {pin} p
            WHERE p.model = %s AND p.field = '' AND SUBSTR(p.object_key, 1, 3) = %s
            AND NOT EXISTS (SELECT 1 FROM {live} l WHERE l.{column} = {value})
            """,
            [spec.model._meta.label_lower, kind],
            place=place,
            value=_value(staging, field, kind),
            pin=_table(staging),
            column=staging.column(field),
        )
    return found


def pinned_rows(live: LiveTable) -> tuple[str, list[str]]:
    """Return the SELECT (old_pk, field, pin_id) of the pinned fields of live rows, and its parameters.

    A field that was pinned under both keys is there twice.
    """
    selects: list[str] = []
    params: list[str] = []
    for field, _, kind in _keys(live):
        # The live row that has the key of the pin: from the few pins into the index of the table.
        select = live.fill(
            """
            SELECT l.{pk} AS old_pk, p.field AS field, p.id AS pin_id
            FROM {pin} p JOIN {live} l ON l.{column} = {value}
            WHERE p.model = %s AND p.field <> '' AND SUBSTR(p.object_key, 1, 3) = %s
            """,
            pin=_table(live),
            column=live.column(field),
            value=_value(live, field, kind),
        )
        selects.append(select)
        params += [live.spec.model._meta.label_lower, kind]
    return " UNION ALL ".join(selects), params


def _keys(live: LiveTable) -> list[tuple[str, str, str]]:
    """Return the fields that pins know objects of the model by, where each stands, and how such a key begins."""
    spec = live.spec
    stable = [(spec.key, "key_value", STABLE)] if spec.key and tracked_for(spec.model).stable_key else []
    return [*stable, (spec.natural, "natural_value", PRIMARY)]


def _value(live: LiveTable, field: str, kind: str) -> str:
    """Return the SQL for the key in a pin; NULL in one of the other sort, which may be no number."""
    key = "SUBSTR(p.object_key, 4)"
    if isinstance(field_of(live.spec.model, field), models.UUIDField):
        # Pins know a UUID as it is written, with dashes, which SQLite stores without.
        key = f"REPLACE({key}, '-', '')"
    return live.fill(
        "CASE WHEN SUBSTR(p.object_key, 1, 3) = '{kind}' THEN CAST({key} AS {type}) END",
        kind=kind,
        key=key,
        type=live.column_type(field),
    )


def _table(live: LiveTable) -> str:
    return live.quote(Pin._meta.db_table)
