"""The values of a file that will stand against upstream once it is applied."""

from apps.changesets.text import plural
from apps.imports.results import ImportOptions, source_title
from apps.imports.spec import ImportSpec
from apps.imports.staging.tables import Staging
from apps.imports.staging.upstream_values import base, known_base


def count_new_corrections(staging: Staging) -> int:
    """Return how many values that the plan changes will differ from the last values of upstream; none of a snapshot."""
    if not staging.layout.corrections or staging.spec.upstream is None:
        return 0
    fields = [field for field in staging.layout.merged if field in staging.stored]
    if not fields:
        return 0
    # Changed values whose last value of upstream is known, and is another one.
    number: int | None = staging.value(
        "SELECT SUM({values}) FROM {changed} x JOIN {live} l ON l.{pk} = x.old_pk",
        values=" + ".join(f"CASE WHEN {_becomes_correction(staging, field)} THEN 1 ELSE 0 END" for field in fields),
    )
    return number or 0


def corrections_in_words(number: int, spec: ImportSpec, options: ImportOptions, file_name: str) -> str:
    """Return what becomes of values that will stand against upstream, with their number."""
    return f"{number:,} {words_of_corrections(number, spec, options, file_name)}."


def words_of_corrections(
    number: int, spec: ImportSpec, options: ImportOptions, file_name: str, *, done: bool = False
) -> str:
    """Return what becomes, or became, of so many values that will stand against upstream."""
    verbs = ("became", "became") if done else ("becomes", "become")
    become = plural(number, f"value {verbs[0]} a correction", f"values {verbs[1]} corrections")
    stand = plural(number, "it stands", "they stand")
    upstream = spec.upstream_title or spec.name
    return f"{become} of {source_title(options, file_name)}: from then on {stand} against {upstream}"


def _becomes_correction(staging: Staging, field: str) -> str:
    return staging.fill(
        "x.{column} IS DISTINCT FROM l.{live_column} AND x.{column} IS DISTINCT FROM {base} AND {known}",
        column=staging.quote(field),
        live_column=staging.column(field),
        base=base(staging, field),
        known=known_base(staging, field),
    )
