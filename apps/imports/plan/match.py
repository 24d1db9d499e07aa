"""Identity: which live object each staged row is about, which rows stand in each other's way, what is missing.

An object is matched by its stable key first. A row whose key no live object has is matched by its natural key, with a
live object that has no key yet (made by hand); a live object with another key is another object, to which the natural
key belonged before it was reassigned.

A natural key that a new or renamed row needs may still be held by a live object. If that object is renamed in the same
file, the two follow each other. If the file does not have it at all, it is *superseded*: deleted in favour of the row,
and listed, because upstream gave its natural key away and the key has room for one. In every other case (the holder was
made by hand, its own row is refused or left out, or a person gave it this natural key) the row is refused and says who
holds it; a holder with its row in the file comes before a newcomer.
"""

from typing import NamedTuple

from apps.imports.plan.match_by_columns import (
    forget_unmatched,
    identify_by_values,
    refuse_unknown_keys,
    refuse_unknown_references,
)
from apps.imports.plan.refuse import refuse_blocked
from apps.imports.results import LISTED, REFUSALS_LISTED, Refusal, RefusedRows, Superseded
from apps.imports.spec import Identify
from apps.imports.staging.tables import Staging
from apps.imports.staging.upstream_values import corrected


def refuse_duplicates(staging: Staging) -> RefusedRows:
    """Refuse every row whose key or natural key another row of the file has too; both lines are named."""
    refusals: list[Refusal] = []
    staging.empty("imports_blocked")
    for column, _index in staging.layout.columns:
        if column.field in staging.spec.names:
            refusals += _find_twice(staging, column.field, column.header)
    return RefusedRows(refuse_blocked(staging), refusals)


def _find_twice(staging: Staging, field: str, header: str) -> list[Refusal]:
    seen_column = "key_value" if field == staging.spec.key else "natural_value"
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
    found = groups.rows(
        """
        SELECT s.line, s.{column}, CASE WHEN s.line = d.line1 THEN d.line2 ELSE d.line1 END
        FROM {staged} s JOIN ({twice}) d ON d.v = s.{column} ORDER BY s.line LIMIT {limit}
        """,
        limit=str(REFUSALS_LISTED),
    )
    return [
        Refusal(line, header, str(value), "twice_in_file", f"line {other} has the same {header}; both are refused")
        for line, value, other in found
    ]


class Matched(NamedTuple):
    """What matching refused, and how many rows it skipped: those about no object where none is to be made."""

    refused: RefusedRows
    skipped: int


def match(staging: Staging) -> Matched:
    """Find the live object of each staged row, and the live objects that the file does not have."""
    refused, refusals = refuse_unknown_references(staging)
    _match_by_names(staging)
    steps: list[Identify] = []
    if staging.spec.automatic:
        steps.append(refuse_unknown_keys)
    if staging.spec.identify:
        steps.append(staging.spec.identify)
    elif staging.spec.identity:
        identify_by_values(staging)
    staging.index_temp("imports_matched", ["old_pk"])
    staging.analyze("imports_matched", ["line"])
    if staging.layout.corrections:
        steps.append(_refuse_twice)
    if staging.layout.partial and staging.spec.creates:
        steps.append(_refuse_unable)
    for step in steps:
        more, listed = step(staging)
        refused += more
        refusals += listed
    skipped = 0 if staging.spec.creates else forget_unmatched(staging)
    if not staging.layout.corrections:
        _find_missing(staging)
    return Matched(RefusedRows(refused, refusals), skipped)


def _match_by_names(staging: Staging) -> None:
    spec, fields = staging.spec, staging.layout.fields
    names = staging.with_parts(staged_pk=staging.quote(spec.natural))
    if spec.key and spec.key in fields:
        # By the stable key.
        names.run(
            """
            INSERT INTO {matched} (line, old_pk)
            SELECT s.line, l.{pk} FROM {staged} s JOIN {live} l ON l.{key} = s.{staged_key}
            """,
            staged_key=staging.quote(spec.key),
        )
    if spec.natural in fields and spec.key is None:
        # By the primary key.
        names.run(
            """
            INSERT INTO {matched} (line, old_pk)
            SELECT s.line, l.{pk} FROM {staged} s JOIN {live} l ON l.{pk} = s.{staged_pk}
            """
        )
    elif spec.natural in fields:
        unknown = ""
        if staging.layout.corrections:
            unknown = f"OR s.{staging.quote(spec.key)} IS NULL" if spec.key and spec.key in fields else "OR TRUE"
        # By the natural key, where that object has no stable key, or the row says none.
        names.run(
            """
            INSERT INTO {matched} (line, old_pk)
            SELECT s.line, l.{pk} FROM {staged} s JOIN {live} l ON l.{pk} = s.{staged_pk}
            WHERE (l.{key} IS NULL {unknown}) AND NOT EXISTS (SELECT 1 FROM {matched} m WHERE m.line = s.line)
            """,
            unknown=unknown,
        )


def _refuse_twice(staging: Staging) -> RefusedRows:
    """Refuse corrections about one object in two rows, however each of them names it."""
    staging.empty("imports_blocked")
    # Two rows, such as one by key and one by natural key, about the same object; each with the line of another one.
    staging.run(
        """
        INSERT INTO {blocked} (line, holder)
        SELECT m.line, CASE WHEN m.line = d.line1 THEN d.line2 ELSE d.line1 END FROM {matched} m JOIN (
            SELECT old_pk, MIN(line) AS line1, MAX(line) AS line2 FROM {matched} GROUP BY old_pk HAVING COUNT(*) > 1
        ) d ON d.old_pk = m.old_pk
        """
    )
    found = staging.rows(
        """
        SELECT b.line, b.holder, m.old_pk FROM {blocked} b JOIN {matched} m ON m.line = b.line
        ORDER BY b.line LIMIT {limit}
        """,
        limit=str(REFUSALS_LISTED),
    )
    refusals = [
        Refusal(line, "(row)", str(pk), "twice_in_file", f"line {other} is about {pk} too; both are refused")
        for line, other, pk in found
    ]
    return RefusedRows(refuse_blocked(staging), refusals)


def _refuse_unable(staging: Staging) -> RefusedRows:
    """Refuse corrections of no object that cannot make a new one."""
    required = [column.field for column in staging.spec.required if column.field != staging.spec.key]
    lacking = [f"s.{staging.quote(field)} IS NULL" for field in required if field in staging.layout.fields]
    if not set(required) <= staging.layout.fields:
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
    hint = "no such object, and too few values to make a new one"
    refusals = [Refusal(line, "(row)", "", "unknown_object", hint) for line in lines]
    return RefusedRows(refuse_blocked(staging), refusals)


def _find_missing(staging: Staging) -> None:
    # Live objects that came from upstream, and that no row of the file is about, good, refused or left out.
    staging.run(
        """
        INSERT INTO {missing} (old_pk, history_id) SELECT l.{pk}, {newest} FROM {live} l WHERE l.{key} IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM {matched} m WHERE m.old_pk = l.{pk})
        AND NOT EXISTS (SELECT 1 FROM {seen} e WHERE e.key_value = l.{key})
        AND NOT EXISTS (SELECT 1 FROM {seen} e WHERE e.key_value IS NULL AND e.natural_value = l.{pk})
        """,
        newest=staging.newest_history(staging.fill("l.{pk}")),
    )
    staging.analyze("imports_missing", ["old_pk"])


def refuse_held(staging: Staging) -> RefusedRows:
    """Refuse rows whose natural key a live object holds that neither moves away nor is missing; until none is left."""
    total = 0
    refusals: list[Refusal] = []
    # Without a stable key nothing is renamed: a row is about the object that has its primary key.
    if staging.spec.automatic or staging.spec.key is None:
        return RefusedRows(total, refusals)
    if not staging.has_rows(staging.spec.model._meta.db_table):
        return RefusedRows(total, refusals)
    while True:
        staging.empty("imports_blocked")
        # A refused row keeps its own natural key, which may hold up the next one: hence the loop.
        staging.run(
            """
            INSERT INTO {blocked} (line, holder)
            SELECT w.line, h.{pk} FROM {writes} w JOIN {live} h ON h.{pk} = w.{new_pk}
            WHERE (w.old_pk IS NULL OR w.old_pk <> w.{new_pk})
            AND NOT EXISTS (SELECT 1 FROM {changed} x WHERE x.old_pk = h.{pk} AND x.{new_pk} <> x.old_pk)
            AND NOT EXISTS (SELECT 1 FROM {missing} m WHERE m.old_pk = h.{pk})
            """,
            new_pk=staging.quote(staging.spec.natural),
        )
        found = staging.rows(
            """
            SELECT b.line, b.holder, h.{key} FROM {blocked} b JOIN {live} h ON h.{pk} = b.holder
            ORDER BY b.line LIMIT {limit}
            """,
            limit=str(REFUSALS_LISTED),
        )
        if not found:
            return RefusedRows(total, refusals)
        header = next(c.header for c in staging.spec.columns if c.field == staging.spec.natural)
        for line, holder, key in found:
            whose = "one without an upstream id" if key is None else f"the one with id {key}"
            hint = f"still held by {whose}, which this file neither renames nor leaves out"
            refusals.append(Refusal(line, header, holder, "held", hint))
        total += refuse_blocked(staging)


def count_superseded(staging: Staging) -> int:
    """Return how many missing objects have a natural key that the file gives to another one."""
    if staging.spec.automatic or not staging.has_rows("imports_missing"):
        return 0
    return int(staging.value("SELECT COUNT(*) FROM ({keys}) k", keys=superseded_keys(staging)))


def list_superseded(staging: Staging) -> list[Superseded]:
    """Return the first of them; without a stable key there are none."""
    if staging.spec.key is None:
        return []
    changed_here = " OR ".join(corrected(staging, field) for field in staging.layout.merged) or "FALSE"
    # The crossing holds SQLite to this order, as in `superseded_keys`.
    found = staging.rows(
        """
        SELECT l.{pk}, l.{key}, w.{new_key}, w.line, CASE WHEN {changed_here} THEN 1 ELSE 0 END
        FROM {writes} w CROSS JOIN {missing} m CROSS JOIN {live} l
        WHERE m.old_pk = w.{new_pk} AND l.{pk} = m.old_pk ORDER BY w.line LIMIT {limit}
        """,
        new_key=staging.quote(staging.spec.key),
        new_pk=staging.quote(staging.spec.natural),
        changed_here=changed_here,
        limit=str(LISTED),
    )
    return [Superseded(str(pk), key, new, line, bool(own)) for pk, key, new, line, own in found]


def superseded_keys(staging: Staging) -> str:
    """Return the SELECT of the primary keys of missing objects whose natural key the file gives to another one."""
    if staging.spec.automatic:
        # No file gives such keys.
        return staging.fill("SELECT m.old_pk FROM {missing} m WHERE FALSE")
    # The crossing holds SQLite to this order: all rows that are written, and for each one look into an index.
    return staging.fill(
        "SELECT m.old_pk FROM {writes} w CROSS JOIN {missing} m WHERE m.old_pk = w.{new_pk}",
        new_pk=staging.quote(staging.spec.natural),
    )
