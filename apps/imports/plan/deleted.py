"""Rows about objects that were deleted here: those that come back are listed, those that stay deleted are left out."""

from apps.changesets.models import Changeset, Kind
from apps.changesets.tracking import tracked_for
from apps.imports.plan.pinned_rows import key_in_pin, pin_keys, pin_table
from apps.imports.staging.tables import Staging

# Deletions by these were not meant by a person: an import that is taken back deletes what it had made.
_NOT_BY_A_PERSON = (Kind.IMPORT, Kind.REVERT, Kind.BASELINE, Kind.MIGRATION, Kind.RESTORE)


def list_deleted_here(staging: Staging) -> int:
    """Fill the table of lines about objects that a person deleted and that would be made again; return how many."""
    staging.empty("imports_deleted_here")
    spec = staging.spec
    if spec.stable_key not in staging.layout.fields:
        return 0
    tables = staging.with_names(changesets=Changeset._meta.db_table, history=tracked_for(spec.model).history_table)
    # New rows whose stable key the newest history row of some primary key deletes, in a changeset of a person.
    return tables.run(
        """
        INSERT INTO {deleted_here} (line) SELECT w.line FROM {created} w WHERE w.{new_stable_key} IN (
            SELECT h.{stable_key} FROM {changesets} c JOIN {history} h ON h.changeset_id = c.id
            WHERE c.kind NOT IN ({kinds}) AND h.history_type = '-' AND h.{stable_key} IS NOT NULL AND h.history_id = (
                SELECT MAX(newer.history_id) FROM {history} newer WHERE newer.{pk} = h.{pk}
            )
        )
        """,
        _NOT_BY_A_PERSON,
        kinds=tables.marks(_NOT_BY_A_PERSON),
    )


def leave_deleted(staging: Staging) -> int:
    """Set the rows about deleted objects that stay deleted aside; return how many they are.

    They are the rows that match no live object and have the key of a pinned deletion.
    """
    staging.run("DELETE FROM {stays_deleted}")
    if not load_pinned_gone(staging):
        return 0
    spec, fields = staging.spec, staging.layout.fields
    has_key = [
        staging.fill(
            "s.{field} IN (SELECT g.{column} FROM {pinned_gone} g WHERE g.{column} IS NOT NULL)",
            field=staging.quote(field),
            column=column,
        )
        for field, column, _ in pin_keys(staging)
        if field in fields
    ]
    # Which rows they are.
    staging.run(
        """
        INSERT INTO {stays_deleted} (line, pk_value, label)
        SELECT s.line, {pk_value}, {label} FROM {staged} s
        WHERE NOT EXISTS (SELECT 1 FROM {matched} m WHERE m.line = s.line) AND ({has_key})
        """,
        pk_value=staging.fill("{new_pk}") if spec.pk in fields else "NULL",
        label=staging.quote(spec.label) if spec.label in fields else "NULL",
        has_key=" OR ".join(has_key) or "FALSE",
    )
    return staging.set_aside("{stays_deleted}", refused=False)


def load_pinned_gone(staging: Staging) -> int:
    """Fill the table {pinned_gone} (stable_value, pk_value) with the deleted objects that stay deleted.

    Each row has one of the two. Objects that live again are left out. Returns how many rows there are.
    """
    spec = staging.spec
    staging.run("DROP TABLE IF EXISTS {pinned_gone}")
    # Objects that stay deleted, by one key or the other.
    staging.run(
        "CREATE TEMP TABLE {pinned_gone} (stable_value {stable_type}, pk_value {pk_type})",
        stable_type=staging.column_type(spec.stable_key or spec.pk),
        pk_type=staging.column_type(spec.pk),
    )
    number = 0
    for field, column, kind in pin_keys(staging):
        # Pinned deletions under this kind of key, unless an object has it.
        number += staging.run(
            """
            INSERT INTO {pinned_gone} ({column}) SELECT {value} FROM {pin} p
            WHERE p.model = %s AND p.field = '' AND SUBSTR(p.object_key, 1, 3) = %s
            AND NOT EXISTS (SELECT 1 FROM {live} l WHERE l.{field} = {value})
            """,
            [spec.model._meta.label_lower, kind],
            column=column,
            value=key_in_pin(staging, field, kind),
            pin=pin_table(staging),
            field=staging.column(field),
        )
    return number
