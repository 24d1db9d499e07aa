"""Pins as an import meets them, in SQL: which fields of which live rows are pinned."""

from django.db import models

from apps.changesets.fields import field_of
from apps.changesets.history.stable_key import PRIMARY, STABLE
from apps.imports.models import Pin
from apps.imports.staging.tables import Staging
from apps.imports.staging.upstream_values import LiveTable


def load_pins(staging: Staging) -> frozenset[str]:
    """Fill the table {pins} (old_pk, field) for the live rows; return the fields that some of them have pinned."""
    staging.run("DROP TABLE IF EXISTS {pins}")
    # Pinned fields of live rows; each once, whichever key the pin was made under.
    staging.run(
        "CREATE TEMP TABLE {pins} (old_pk {type}, field text, PRIMARY KEY (old_pk, field))",
        type=staging.column_type(staging.spec.pk),
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


def pinned_rows(live: LiveTable) -> tuple[str, list[str]]:
    """Return the SELECT (old_pk, field, pin_id) of the pinned fields of live rows, and its parameters.

    A field that was pinned under both keys is there twice.
    """
    selects: list[str] = []
    params: list[str] = []
    for field, _, kind in pin_keys(live):
        # The live row that has the key of the pin: from the few pins into the index of the table.
        select = live.fill(
            """
            SELECT l.{pk} AS old_pk, p.field AS field, p.id AS pin_id
            FROM {pin} p JOIN {live} l ON l.{column} = {value}
            WHERE p.model = %s AND p.field <> '' AND SUBSTR(p.object_key, 1, 3) = %s
            """,
            pin=pin_table(live),
            column=live.column(field),
            value=key_in_pin(live, field, kind),
        )
        selects.append(select)
        params += [live.spec.model._meta.label_lower, kind]
    return " UNION ALL ".join(selects), params


def pin_keys(live: LiveTable) -> list[tuple[str, str, str]]:
    """Return the fields that pins know objects of the model by, the column for each, and how such a key begins."""
    spec = live.spec
    stable = [(spec.stable_key, "stable_value", STABLE)] if spec.stable_key else []
    return [*stable, (spec.pk, "pk_value", PRIMARY)]


def key_in_pin(live: LiveTable, field: str, kind: str) -> str:
    """Return the SQL for the key in the pin `p`; NULL in a pin of the other kind, which may be no number."""
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


def pin_table(live: LiveTable) -> str:
    """Return the quoted name of the table of pins."""
    return live.quote(Pin._meta.db_table)
