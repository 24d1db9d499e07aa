"""Pins as an import meets them: pinned fields of live objects, and rows about objects that are to stay deleted."""

from apps.imports.pinning_sql import load_pinned_gone, load_pins
from apps.imports.staging import Staging


def pinned_fields(staging: Staging) -> frozenset[str]:
    """Load the pins, and return the fields that any live object has pinned."""
    if not load_pins(staging):
        return frozenset()
    return frozenset(field for (field,) in staging.fetch("SELECT DISTINCT field FROM {pins}"))


def leave_deleted(staging: Staging) -> int:
    """Set the rows aside whose object a person deleted for good, and return how many they are."""
    staging.run("DELETE FROM {stays_deleted}")
    if not load_pinned_gone(staging):
        return 0
    spec, fields = staging.spec, staging.layout.fields
    keys = [(staging.quote(name), place) for name, place in ((spec.key, "key_value"), (spec.natural, "natural_value"))
            if name in fields]  # fmt: skip
    gone = " OR ".join(f"s.{name} IN (SELECT g.{place} FROM {{pinned_gone}} g)" for name, place in keys)
    label = f"s.{staging.quote(spec.label)}" if spec.label in fields else "''"
    natural = f"s.{staging.quote(spec.natural)}" if spec.natural in fields else "''"
    # Rows about no live object whose deletion is pinned ...
    staging.run("INSERT INTO {stays_deleted} (line, natural_value, label) SELECT s.line, {natural}, {label} "
                "FROM {staged} s WHERE NOT EXISTS (SELECT 1 FROM {matched} m WHERE m.line = s.line) AND ({gone})",
                natural=natural, label=label, gone=staging.fill(gone))  # fmt: skip
    # ... are in the file, but not imported.
    staging.run("INSERT INTO {seen} (line, refused) SELECT line, FALSE FROM {stays_deleted}")
    return staging.run("DELETE FROM {staged} WHERE line IN (SELECT line FROM {stays_deleted})")
