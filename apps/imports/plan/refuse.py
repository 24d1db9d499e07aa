"""Taking rows that cannot go in out of the staged ones, so that they count as refused and never as missing."""

from apps.imports.staging.tables import Staging


def refuse_blocked(staging: Staging) -> int:
    """Turn the rows in the table of blocked ones from staged into refused, and return how many they are."""
    spec, fields = staging.spec, staging.layout.fields
    key = staging.quote(spec.key) if spec.key in fields else "NULL"
    natural = staging.quote(spec.natural) if spec.natural in fields else "NULL"
    # Remember that the file has them ...
    staging.run(
        """
        INSERT INTO {seen} (line, key_value, natural_value, refused)
        SELECT line, {key_value}, {natural}, TRUE FROM {staged} WHERE line IN (SELECT line FROM {blocked})
        """,
        key_value=key,
        natural=natural,
    )
    # ... and take them out.
    staging.run("DELETE FROM {matched} WHERE line IN (SELECT line FROM {blocked})")
    staging.run("DELETE FROM {changed} WHERE line IN (SELECT line FROM {blocked})")
    return staging.run("DELETE FROM {staged} WHERE line IN (SELECT line FROM {blocked})")
