"""Pins in SQL: which live rows have pinned fields, and which rows of a file are about objects that stay deleted."""

from apps.changesets.tracking import tracked_for
from apps.imports.bases import Columns
from apps.imports.models import Pin
from apps.imports.pins import PRIMARY, STABLE
from apps.imports.staging import Staging


def load_pins(staging: Staging) -> int:
    """Fill the table `imports_pins` (old_pk, field) for the live rows of what is imported; return how many there are.

    `{pins}` is its name in a statement of the staging; `is_pinned` is the condition that asks it.
    """
    staging.run("DROP TABLE IF EXISTS {pins}")
    # Pinned fields of live rows; each once, whichever key the pin was made under.
    staging.run("CREATE TEMP TABLE {pins} (old_pk {type}, field text, PRIMARY KEY (old_pk, field))",
                type=staging.column_type(staging.spec.natural))  # fmt: skip
    # Pins by the key that stays, and by the primary key.
    text, params = pinned_rows(staging)
    found = staging.run("INSERT INTO {pins} (old_pk, field) SELECT DISTINCT p.old_pk, p.field FROM ({pinned}) p",
                        params, pinned=text)  # fmt: skip
    staging.analyze("imports_pins", columns="old_pk, field")
    return found


def is_pinned(staging: Staging, field: str) -> str:
    """Return the SQL condition: this field of the live row `l` is pinned; `load_pins` comes first."""
    return staging.fill("EXISTS (SELECT 1 FROM {pins} p WHERE p.old_pk = l.{pk} AND p.field = '{field}')", field=field)


def load_pinned_gone(staging: Staging) -> int:
    """Fill the table `imports_pinned_gone` (key_value, natural_value) with the deleted objects that stay deleted.

    A staged row that matches no live row is about one of them when its key is in `key_value`, or its natural key in
    `natural_value`; each row has one of the two. Objects that live again are left out.
    """
    spec, label = staging.spec, staging.spec.model._meta.label_lower
    staging.run("DROP TABLE IF EXISTS {pinned_gone}")
    # Objects that stay deleted, by one key or the other.
    staging.run("CREATE TEMP TABLE {pinned_gone} (key_value {key_type}, natural_value {natural_type})",
                key_type=staging.column_type(spec.key or spec.natural),
                natural_type=staging.column_type(spec.natural))  # fmt: skip
    found = 0
    for place, field, kind in (("key_value", spec.key, STABLE), ("natural_value", spec.natural, PRIMARY)):
        if field is None:
            continue
        # Pinned deletions under this sort of key, unless an object has it.
        found += staging.run(
            "INSERT INTO {pinned_gone} ({place}) SELECT {value} FROM {pin} p "
            "WHERE p.model = %s AND p.field = '' AND SUBSTR(p.object_key, 1, 3) = %s "
            "AND NOT EXISTS (SELECT 1 FROM {live} l WHERE l.{column} = {value})",
            [label, kind], place=place, value=_value(staging, field, kind), pin=_table(staging),
            column=staging.column(field))  # fmt: skip
    return found


def pinned_rows(columns: Columns) -> tuple[str, list[str]]:
    """Return the SELECT (old_pk, field, pin_id) of the pinned fields of live rows, and its parameters.

    A field that was pinned under both keys is there twice, the pin under the key that stays first.
    """
    spec = columns.spec
    live, pin = columns.quote(spec.model._meta.db_table), _table(columns)
    stable = tracked_for(spec.model).stable_key
    keys = [(spec.key, STABLE)] if stable and spec.key else []
    selects, params = [], []
    for field, kind in (*keys, (spec.natural, PRIMARY)):
        # The live row that has the key of the pin: from the few pins into the index of the table.
        selects.append(
            f"SELECT l.{columns.column(spec.natural)} AS old_pk, p.field AS field, p.id AS pin_id FROM {pin} p "
            f"JOIN {live} l ON l.{columns.column(field)} = {_value(columns, field, kind)} "
            "WHERE p.model = %s AND p.field <> '' AND SUBSTR(p.object_key, 1, 3) = %s"
        )
        params += [spec.model._meta.label_lower, kind]
    return " UNION ALL ".join(selects), params


def _value(columns: Columns, field: str, kind: str) -> str:
    """Return the SQL for the key in a pin; NULL in one of the other sort, which may be no number."""
    key = f"CAST(SUBSTR(p.object_key, 4) AS {columns.column_type(field)})"
    return f"CASE WHEN SUBSTR(p.object_key, 1, 3) = '{kind}' THEN {key} END"


def _table(columns: Columns) -> str:
    return columns.quote(Pin._meta.db_table)
