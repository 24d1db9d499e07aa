"""Completing new objects: what they get beside what their rows say, worked out by the spec's completer."""

from apps.imports.staging.tables import Staging


def complete(staging: Staging) -> None:
    """Let the completer fill its table for the rows that create an object, from anew."""
    if staging.spec.completer:
        staging.run("DELETE FROM {completed}")
        staging.spec.completer.plan(staging)


def completed_join(staging: Staging, rows: str) -> str:
    """Return the LEFT JOIN that finds the completed values of the rows under alias `rows`."""
    return staging.fill("LEFT JOIN {completed} n ON n.line = {rows}.line", rows=rows) if staging.spec.completer else ""


def completed_value(staging: Staging, field: str, rows: str) -> str:
    """Return the SQL for a completed field under that join: what the row says, unless it is blank."""
    completed = f"n.{staging.quote(field)}"
    if field not in staging.stored:
        return completed
    own = f"{rows}.{staging.quote(field)}"
    blank = f"NULLIF({own}, '')" if staging.spec.model._meta.get_field(field).empty_strings_allowed else own
    return f"COALESCE({blank}, {completed})"
