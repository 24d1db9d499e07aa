"""Live objects that a snapshot lacks: which, which of them make room for a row, and how many more would change."""

from apps.imports.results import LISTED, ImportOptions, Superseded
from apps.imports.spec import ImportSpec
from apps.imports.staging.tables import Staging
from apps.imports.staging.upstream_values import corrected

# So few may go whatever their share is: small tables would never get below it.
ALWAYS_ALLOWED = 100


def fill_missing(staging: Staging) -> None:
    """Fill the table of live objects that the file does not have."""
    # Live objects that came from upstream, and that no row of the file is about, good, refused or left out.
    staging.run(
        """
        INSERT INTO {missing} (old_pk, history_id) SELECT l.{pk}, {newest} FROM {live} l
        WHERE l.{stable_key} IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM {matched} m WHERE m.old_pk = l.{pk})
        AND NOT EXISTS (SELECT 1 FROM {seen} e WHERE e.stable_value = l.{stable_key})
        AND NOT EXISTS (SELECT 1 FROM {seen} e WHERE e.stable_value IS NULL AND e.pk_value = l.{pk})
        """,
        newest=staging.newest_history(staging.fill("l.{pk}")),
    )
    staging.analyze("imports_missing", ["old_pk"])


def list_missing(staging: Staging) -> tuple[str, ...]:
    """Return the primary keys of the first missing objects."""
    keys = staging.firsts("SELECT old_pk FROM {missing} ORDER BY old_pk LIMIT {limit}", limit=str(LISTED))
    return tuple(map(staging.pk_in_words, keys))


def count_missing_to_change(staging: Staging) -> int:
    """Return how many missing objects the options deactivate or delete."""
    if staging.options.missing == "report":
        return 0
    still = "" if staging.options.missing == "delete" else staging.fill("AND l.{active}")
    # Missing objects that the option deletes, or deactivates and that are active still.
    return int(
        staging.value("SELECT COUNT(*) FROM {missing} m JOIN {live} l ON l.{pk} = m.old_pk {still}", still=still)
    )


def above_limit(
    spec: ImportSpec, options: ImportOptions, to_change: int, superseded: int, *, using: str = "default"
) -> str:
    """Return the sentence that too many objects would go for being missing or superseded, or nothing."""
    # Superseded objects are among those to change where these are deleted anyway.
    going = max(to_change, superseded)
    if going <= ALWAYS_ALLOWED:
        return ""
    total = spec.model._base_manager.using(using).filter(**{f"{spec.stable_key}__isnull": False}).count()
    share, limit = 100 * going / total, options.missing_limit
    if share <= limit:
        return ""
    done = "deactivated" if options.missing == "deactivate" and to_change else "deleted"
    if superseded:
        done += f" ({superseded:,} of them since the file gives their {spec.pk} to others)"
    names = spec.model._meta.verbose_name_plural
    return (
        f"The file lacks {going:,} of {total:,} {names} ({share:.1f} %), which would be {done}; "
        f"at most {limit:g} % may be. Is it the whole file? If so, raise the limit."
    )


def count_superseded(staging: Staging) -> int:
    """Return how many missing objects have a primary key that the file gives to another one."""
    if staging.spec.automatic or not staging.has_rows("imports_missing"):
        return 0
    return int(staging.value("SELECT COUNT(*) FROM ({keys}) k", keys=superseded_pks(staging)))


def list_superseded(staging: Staging) -> list[Superseded]:
    """Return the first superseded objects; without a stable key there are none."""
    if staging.spec.stable_key is None:
        return []
    changed_here = " OR ".join(corrected(staging, field) for field in staging.layout.merged) or "FALSE"
    # The crossing holds SQLite to this order, as in `superseded_pks`.
    rows = staging.rows(
        """
        SELECT l.{pk}, l.{stable_key}, w.{new_stable_key}, w.line, CASE WHEN {changed_here} THEN 1 ELSE 0 END
        FROM {writes} w CROSS JOIN {missing} m CROSS JOIN {live} l
        WHERE m.old_pk = w.{new_pk} AND l.{pk} = m.old_pk ORDER BY w.line LIMIT {limit}
        """,
        changed_here=changed_here,
        limit=str(LISTED),
    )
    return [Superseded(str(pk), old, new, line, bool(changed)) for pk, old, new, line, changed in rows]


def superseded_pks(staging: Staging) -> str:
    """Return the SELECT of the primary keys of missing objects whose primary key the file gives to another one."""
    if staging.spec.automatic:
        # No file gives such keys.
        return staging.fill("SELECT m.old_pk FROM {missing} m WHERE FALSE")
    # The crossing holds SQLite to this order: all rows that are written, and for each one look into an index.
    return staging.fill("SELECT m.old_pk FROM {writes} w CROSS JOIN {missing} m WHERE m.old_pk = w.{new_pk}")
