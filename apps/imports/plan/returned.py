"""Rows about objects that a person deleted here: upstream still has them, so they come back, and are listed as such."""

from apps.changesets.models import Changeset, Kind
from apps.changesets.tracking import tracked_for
from apps.imports.staging.tables import Staging

# Deletions by these were not meant by a person: an import that is taken back deletes what it had made.
_NOT_BY_A_PERSON = (Kind.IMPORT, Kind.REVERT, Kind.BASELINE, Kind.MIGRATION, Kind.RESTORE)


def find_deleted_here(staging: Staging) -> int:
    """Fill the table of lines about objects that a person deleted and that would be made again; return how many."""
    staging.empty("imports_deleted_here")
    spec = staging.spec
    if spec.key is None or spec.key not in staging.layout.fields:
        return 0
    tables = staging.with_names(
        changesets=Changeset._meta.db_table, history=tracked_for(spec.model).history_table, staged_key=spec.key
    )
    # New rows whose stable key the newest history row of some primary key deletes, in a changeset of a person.
    return tables.run(
        """
        INSERT INTO {deleted_here} (line) SELECT w.line FROM {created} w WHERE w.{staged_key} IN (
            SELECT h.{key} FROM {changesets} c JOIN {history} h ON h.changeset_id = c.id
            WHERE c.kind NOT IN ({kinds}) AND h.history_type = '-' AND h.{key} IS NOT NULL AND h.history_id = (
                SELECT MAX(newer.history_id) FROM {history} newer WHERE newer.{pk} = h.{pk}
            )
        )
        """,
        _NOT_BY_A_PERSON,
        kinds=tables.marks(_NOT_BY_A_PERSON),
    )
