"""Live objects that a snapshot lacks: which, how many would be changed for it, and whether those are too many."""

from apps.imports.results import LISTED
from apps.imports.staging.tables import Staging

# So few may go whatever their share is: small tables would never get below it.
ALWAYS_ALLOWED = 100


def list_missing(staging: Staging) -> tuple[str, ...]:
    """Return the primary keys of the first missing objects."""
    keys = staging.firsts("SELECT old_pk FROM {missing} ORDER BY old_pk LIMIT {limit}", limit=str(LISTED))
    return tuple(map(staging.key_in_words, keys))


def count_missing_to_change(staging: Staging) -> int:
    """Return how many missing objects the options deactivate or delete."""
    if staging.options.missing == "report":
        return 0
    still = "" if staging.options.missing == "delete" else staging.fill("AND l.{active}")
    # Missing objects that the option deletes, or deactivates and that are active still.
    return int(
        staging.value("SELECT COUNT(*) FROM {missing} m JOIN {live} l ON l.{pk} = m.old_pk {still}", still=still)
    )


def above_limit(staging: Staging, to_change: int) -> str:
    """Return the sentence that too many objects would go for being missing, or nothing."""
    if to_change <= ALWAYS_ALLOWED:
        return ""
    total = staging.value("SELECT COUNT(*) FROM {live} WHERE {key} IS NOT NULL")
    share, limit = 100 * to_change / total, staging.options.missing_limit
    if share <= limit:
        return ""
    done = "deleted" if staging.options.missing == "delete" else "deactivated"
    names = staging.spec.model._meta.verbose_name_plural
    return (
        f"The file lacks {to_change:,} of {total:,} {names} ({share:.1f} %), which would be {done}; "
        f"at most {limit:g} % may be. Is it the whole file? If so, raise the limit."
    )
