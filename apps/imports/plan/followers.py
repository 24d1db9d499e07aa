"""Texts that follow another one: of changed objects, those that the file does not give are made again, as forms do."""

from apps.imports.mapping.columns import Follower
from apps.imports.plan.pinned_rows import is_pinned
from apps.imports.staging.tables import Staging

_CHUNK = 5000


def follow(staging: Staging) -> None:
    """Make the followers of changed objects anew, in the table of objects that change."""
    for follower in staging.spec.followers:
        if {follower.field, follower.follows} & staging.layout.fields:
            _follow(staging, follower)


def _follow(staging: Staging, follower: Follower) -> None:
    given = "FALSE"
    if follower.field in staging.layout.fields:
        given = staging.fill("COALESCE(s.{field}, '') <> ''", field=follower.field)
    pinned = is_pinned(staging, follower.field) if follower.field in staging.pinned else "FALSE"
    # Changed objects by line: what is followed, before and after, and the follower before and after.
    pages = staging.pages(
        """
        SELECT x.line, l.{leads}, x.{leads}, l.{field}, x.{field}
        FROM {changed} x JOIN {live} l ON l.{pk} = x.old_pk JOIN {staged} s ON s.line = x.line
        WHERE (x.{leads} IS DISTINCT FROM l.{leads} OR (COALESCE(x.{field}, '') = '' AND l.{field} <> ''))
        AND NOT {given} AND NOT {pinned} AND {after} ORDER BY x.line LIMIT {limit}
        """,
        by="x.line",
        size=_CHUNK,
        field=follower.field,
        leads=follower.follows,
        given=f"({given})",
        pinned=pinned,
    )
    with staging.writing():
        for rows in pages:
            made = [
                (follower.make(leads), line)
                for line, led, leads, was, value in rows
                if not value or follower.make(led) == was == value
            ]
            staging.run_many("UPDATE {changed} SET {field} = %s WHERE line = %s", made, field=follower.field)
