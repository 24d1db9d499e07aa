"""Matching: which live object each staged row is about, and which rows stand in each other's way.

An object is matched by its stable key first. A row whose stable key no live object has is matched by its primary key,
with a live object that has no stable key yet (made by hand); a live object with another stable key is another object,
to which the primary key belonged before it was reassigned.

A primary key that a new or renamed row needs may still be held by a live object. If that object is renamed in the same
file, the two follow each other. If the file does not have it at all, it is *superseded*: deleted in favour of the row,
and listed, because upstream gave its primary key away and two objects cannot have one. In every other case (the holder
was made by hand, its own row is refused or left out, or a person gave it this primary key) the row is refused and says
who holds it; a holder with its row in the file comes before a newcomer.
"""

from typing import NamedTuple

from django.db import models

from apps.imports.plan.disputed import settle_disputed
from apps.imports.plan.match_by_choice import chosen_steps
from apps.imports.plan.match_by_columns import (
    forget_unmatched,
    match_by_values,
    refuse_unknown_keys,
    refuse_unknown_references,
)
from apps.imports.plan.missing import fill_missing
from apps.imports.results import REFUSALS_LISTED, Refusal, RefusedRows
from apps.imports.staging.tables import Staging


def refuse_duplicates(staging: Staging) -> RefusedRows:
    """Refuse every row whose stable or primary key another row of the file has too; both lines are named."""
    refusals: list[Refusal] = []
    staging.empty("imports_blocked")
    for column, _index in staging.layout.columns:
        if column.field in staging.spec.key_fields:
            refusals += _refuse_key_twice(staging, column.field, column.header)
    return RefusedRows(staging.refuse_blocked(), refusals)


def _refuse_key_twice(staging: Staging, field: str, header: str) -> list[Refusal]:
    seen_column = "stable_value" if field == staging.spec.stable_key else "pk_value"
    # The keys that rows of the file say twice, refused rows included, with the first and last line.
    twice = staging.with_parts(column=staging.quote(field), seen_column=seen_column).fill(
        """
        SELECT v, MIN(line) AS line1, MAX(line) AS line2 FROM (
            SELECT line, {column} AS v FROM {staged} WHERE {column} IS NOT NULL
            UNION ALL
            SELECT line, {seen_column} FROM {seen} WHERE refused AND {seen_column} IS NOT NULL
        ) e GROUP BY v HAVING COUNT(*) > 1
        """
    )
    if not staging.value("SELECT COUNT(*) FROM ({twice}) d", twice=twice):
        return []
    groups = staging.with_parts(twice=twice, column=staging.quote(field))
    # Each staged row of such a group, with the first or last other line.
    groups.run(
        """
        INSERT INTO {blocked} (line, holder)
        SELECT s.line, CASE WHEN s.line = d.line1 THEN d.line2 ELSE d.line1 END
        FROM {staged} s JOIN ({twice}) d ON d.v = s.{column}
        """
    )
    rows = groups.rows(
        """
        SELECT s.line, s.{column}, CASE WHEN s.line = d.line1 THEN d.line2 ELSE d.line1 END
        FROM {staged} s JOIN ({twice}) d ON d.v = s.{column} ORDER BY s.line LIMIT {limit}
        """,
        limit=str(REFUSALS_LISTED),
    )
    return [
        Refusal(line, header, str(value), "twice_in_file", f"line {holder} has the same {header}; both are refused")
        for line, value, holder in rows
    ]


class Matched(NamedTuple):
    """What matching refused, and how many rows it skipped: those about no object where none is to be made."""

    refused: RefusedRows
    skipped: int


def match(staging: Staging) -> Matched:
    """Find the live object of each staged row, and the live objects that the file does not have."""
    refused, refusals = refuse_unknown_references(staging)
    steps = chosen_steps(staging)
    if staging.layout.match is None:
        _match_by_keys(staging)
        if staging.spec.automatic:
            steps.append(refuse_unknown_keys)
        if staging.spec.match:
            steps.append(staging.spec.match)
        elif staging.spec.match_by:
            match_by_values(staging)
    staging.index_temp("imports_matched", ["old_pk"])
    staging.analyze("imports_matched", ["line"])
    if staging.spec.evidence:
        steps.append(settle_disputed)
    if staging.layout.corrections or staging.layout.match or staging.options.disputed != "refuse":
        steps.append(refuse_object_twice)
    if staging.layout.partial and staging.spec.creates:
        steps.append(_refuse_unable)
    for step in steps:
        number, listed = step(staging)
        refused += number
        refusals += listed
    skipped = 0 if staging.spec.creates else forget_unmatched(staging)
    if not staging.layout.corrections:
        fill_missing(staging)
    return Matched(RefusedRows(refused, refusals), skipped)


def _match_by_keys(staging: Staging) -> None:
    spec, fields = staging.spec, staging.layout.fields
    if spec.stable_key and spec.stable_key in fields:
        # By the stable key.
        staging.run(
            """
            INSERT INTO {matched} (line, old_pk)
            SELECT s.line, l.{pk} FROM {staged} s JOIN {live} l ON l.{stable_key} = s.{new_stable_key}
            """
        )
    if spec.pk in fields and spec.stable_key is None:
        # By the primary key.
        staging.run(
            """
            INSERT INTO {matched} (line, old_pk)
            SELECT s.line, l.{pk} FROM {staged} s JOIN {live} l ON l.{pk} = s.{new_pk}
            """
        )
    elif spec.pk in fields:
        unknown = ""
        if staging.layout.corrections:
            unknown = staging.fill("OR s.{new_stable_key} IS NULL") if spec.stable_key in fields else "OR TRUE"
        # By the primary key, where that object has no stable key, or the row gives none.
        staging.run(
            """
            INSERT INTO {matched} (line, old_pk)
            SELECT s.line, l.{pk} FROM {staged} s JOIN {live} l ON l.{pk} = s.{new_pk}
            WHERE (l.{stable_key} IS NULL {unknown}) AND NOT EXISTS (SELECT 1 FROM {matched} m WHERE m.line = s.line)
            """,
            unknown=unknown,
        )


def refuse_object_twice(staging: Staging) -> RefusedRows:
    """Refuse rows about one object in two rows, however each of them names it."""
    staging.empty("imports_blocked")
    # Two rows, such as one by stable and one by primary key, about the same object; each with the line of another.
    staging.run(
        """
        INSERT INTO {blocked} (line, holder)
        SELECT m.line, CASE WHEN m.line = d.line1 THEN d.line2 ELSE d.line1 END FROM {matched} m JOIN (
            SELECT old_pk, MIN(line) AS line1, MAX(line) AS line2 FROM {matched} GROUP BY old_pk HAVING COUNT(*) > 1
        ) d ON d.old_pk = m.old_pk
        """
    )
    rows = staging.rows(
        """
        SELECT b.line, b.holder, m.old_pk FROM {blocked} b JOIN {matched} m ON m.line = b.line
        ORDER BY b.line LIMIT {limit}
        """,
        limit=str(REFUSALS_LISTED),
    )
    refusals = [
        Refusal(line, "(row)", str(pk), "twice_in_file", f"line {holder} is about {pk} too; both are refused")
        for line, holder, pk in rows
    ]
    return RefusedRows(staging.refuse_blocked(), refusals)


def _refuse_unable(staging: Staging) -> RefusedRows:
    """Refuse corrections of no object that cannot make a new one."""
    required = [column.field for column in staging.spec.required if column.field != staging.spec.stable_key]
    lacking = [f"s.{staging.quote(field)} IS NULL" for field in required if field in staging.layout.fields]
    # Under a chosen key nothing new is made: another key of the row may well be of an object that lives.
    chosen = staging.layout.match is not None and staging.layout.corrections
    if chosen or not set(required) <= staging.layout.fields:
        lacking = ["TRUE"]
    staging.empty("imports_blocked")
    # A row about no object, without the values that a new one needs.
    staging.run(
        """
        INSERT INTO {blocked} (line, holder) SELECT s.line, NULL FROM {staged} s
        WHERE NOT EXISTS (SELECT 1 FROM {matched} m WHERE m.line = s.line) AND ({lacking})
        """,
        lacking=" OR ".join(lacking) or "FALSE",
    )
    lines = staging.firsts("SELECT line FROM {blocked} ORDER BY line LIMIT {limit}", limit=str(REFUSALS_LISTED))
    hint = "no such object" if chosen else "no such object, and too few values to make a new one"
    meant = _meant(staging)
    refusals = [
        Refusal(line, "(row)", "", "unknown_object", f"{hint}; did you mean {meant[line]}?" if line in meant else hint)
        for line in lines
    ]
    return RefusedRows(staging.refuse_blocked(), refusals)


def _meant(staging: Staging) -> dict[int, str]:
    """Return, for each blocked line, the primary key of a live object that it names in lower-case letters."""
    pk = staging.spec.pk
    if pk not in staging.layout.fields or not isinstance(staging.spec.model._meta.pk, models.CharField):
        return {}
    rows = staging.rows(
        """
        SELECT b.line, l.{pk} FROM {blocked} b JOIN {staged} s ON s.line = b.line
        JOIN {live} l ON l.{pk} = UPPER(s.{new_pk}) ORDER BY b.line LIMIT {limit}
        """,
        limit=str(REFUSALS_LISTED),
    )
    return dict(rows)


def refuse_held(staging: Staging) -> RefusedRows:
    """Refuse rows whose primary key a live object holds that neither moves away nor is missing; until none is left."""
    total = 0
    refusals: list[Refusal] = []
    # Without a stable key nothing is renamed: a row is about the object that has its primary key.
    if staging.spec.automatic or staging.spec.stable_key is None:
        return RefusedRows(total, refusals)
    if not staging.has_rows(staging.spec.model._meta.db_table):
        return RefusedRows(total, refusals)
    while True:
        staging.empty("imports_blocked")
        # A refused row keeps its own primary key, which may hold up the next one: hence the loop.
        staging.run(
            """
            INSERT INTO {blocked} (line, holder)
            SELECT w.line, h.{pk} FROM {writes} w JOIN {live} h ON h.{pk} = w.{new_pk}
            WHERE (w.old_pk IS NULL OR w.old_pk <> w.{new_pk})
            AND NOT EXISTS (SELECT 1 FROM {changed} x WHERE x.old_pk = h.{pk} AND x.{new_pk} <> x.old_pk)
            AND NOT EXISTS (SELECT 1 FROM {missing} m WHERE m.old_pk = h.{pk})
            """
        )
        holders = staging.rows(
            """
            SELECT b.line, b.holder, h.{stable_key} FROM {blocked} b JOIN {live} h ON h.{pk} = b.holder
            ORDER BY b.line LIMIT {limit}
            """,
            limit=str(REFUSALS_LISTED),
        )
        if not holders:
            return RefusedRows(total, refusals)
        header = next(c.header for c in staging.spec.columns if c.field == staging.spec.pk)
        for line, holder, stable_key in holders:
            whose = "one without an upstream id" if stable_key is None else f"the one with id {stable_key}"
            hint = f"still held by {whose}, which this file neither renames nor leaves out"
            refusals.append(Refusal(line, header, holder, "held", hint))
        total += staging.refuse_blocked()
