"""Matching without a stable key: objects that a row names by an automatic key or by several columns together.

Nothing is renamed here, so nothing makes room. A row that would give an object values that another object has, those
to match by or another group that must be unique, is refused and says who has them; so are two objects that swap them.
"""

from typing import Any, NamedTuple

from django.db.models import Q

from apps.changesets.fields import column_of, field_of
from apps.changesets.revert.matching import condition_in_sql
from apps.changesets.tracking import tracked_for
from apps.imports.mapping.columns import Column
from apps.imports.results import REFUSALS_LISTED, Refusal, RefusedRows
from apps.imports.staging.tables import Staging


class BlockedCell(NamedTuple):
    """A row that is in the table of blocked ones, what holds it up, and the cell to blame: its title and its text."""

    line: int
    holder: Any
    header: str
    text: str


def refuse_unknown_references(staging: Staging) -> RefusedRows:
    """Refuse rows with a code that no object has, and changes to one that is gone; none is created for them."""
    total = 0
    refusals: list[Refusal] = []
    for field, refers in staging.spec.referred.items():
        if field not in staging.layout.fields:
            continue
        column, target = _column(staging, field), refers.model._meta
        tables = staging.with_names(field=field, target=target.db_table, target_pk=column_of(target.pk))
        staging.empty("imports_blocked")
        # Rows with a code, but no object of that code.
        tables.run(
            """
            INSERT INTO {blocked} (line, holder)
            SELECT s.line, s.{field} FROM {staged} s WHERE s.{field} IS NOT NULL AND {object} IS NULL
            """,
            object=staging.staged(field),
        )
        # Changes, planned earlier, that point to an object which is no longer there.
        tables.run(
            """
            INSERT INTO {blocked} (line, holder) SELECT x.line, x.{field} FROM {changed} x WHERE x.{field} IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM {target} r WHERE r.{target_pk} = x.{field})
            """
        )
        hint = (
            f"there is no {target.verbose_name} with this {refers.by.replace('_', ' ')}: add it first, or mend the code"
        )
        refusals += [Refusal(line, column.header, code, "unknown", hint) for line, code in _blocked(staging)]
        total += staging.refuse_blocked()
    return RefusedRows(total, refusals)


def refuse_unknown_keys(staging: Staging) -> RefusedRows:
    """Refuse rows that give an automatic key which no live object has: the database gives those, never a file."""
    if staging.spec.pk not in staging.layout.fields:
        return RefusedRows(0, [])
    staging.empty("imports_blocked")
    # Rows with a key that no object has.
    staging.run(
        """
        INSERT INTO {blocked} (line, holder) SELECT s.line, s.{new_pk} FROM {staged} s
        WHERE s.{new_pk} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {live} l WHERE l.{pk} = s.{new_pk})
        """
    )
    header = _column(staging, staging.spec.pk).header
    hint = f"no {staging.spec.model._meta.verbose_name} has this {header}: leave the cell blank for a new one"
    refusals = [Refusal(line, header, value, "unknown_object", hint) for line, value in _blocked(staging)]
    return RefusedRows(staging.refuse_blocked(), refusals)


def match_by_values(staging: Staging) -> None:
    """Match the rows not matched so far with the live object that has the same values of the fields to match by."""
    spec = staging.spec
    if not set(spec.match_columns) <= staging.layout.fields:
        return
    same = " AND ".join(f"l.{staging.column(field)} = {staging.staged(field)}" for field in spec.match_by)
    nameless = staging.fill("AND s.{new_pk} IS NULL") if spec.pk in staging.layout.fields else ""
    # Rows without a key, by all values to match by together.
    staging.run(
        """
        INSERT INTO {matched} (line, old_pk) SELECT s.line, l.{pk} FROM {staged} s JOIN {live} l ON {same}
        WHERE NOT EXISTS (SELECT 1 FROM {matched} m WHERE m.line = s.line) {nameless}
        """,
        same=same,
        nameless=nameless,
    )


def forget_unmatched(staging: Staging) -> int:
    """Take the rows about no object out, of an import that creates none, and return how many they were."""
    unmatched = staging.absent("{staged}.line", "SELECT line FROM {matched}")
    return staging.run("DELETE FROM {staged} WHERE {unmatched}", unmatched=staging.fill(unmatched))


def refuse_clashes(staging: Staging) -> RefusedRows:
    """Refuse rows whose object would get a group of unique values that another object has, or another row gives."""
    total = 0
    refusals: list[Refusal] = []
    tracked = tracked_for(staging.spec.model)
    for group, condition in (*((group, Q()) for group in staging.spec.unique), *staging.spec.unique_where):
        staging.empty("imports_blocked")
        where = condition_in_sql(staging, tracked, condition) if condition else ""
        proposed = _proposed(staging, group, condition, where)
        holders = " AND ".join(f"h.{staging.column(field)} = p.{staging.quote(field)}" for field in group)
        # Values that another live object has now, whatever becomes of it.
        staging.run(
            """
            INSERT INTO {blocked} (line, holder) SELECT p.line, MIN(CAST(h.{pk} AS text)) FROM ({proposed}) p
            JOIN {meeting} h ON {holders} WHERE p.old_pk IS NULL OR h.{pk} <> p.old_pk GROUP BY p.line
            """,
            proposed=proposed,
            meeting=staging.fill("(SELECT * FROM {live} WHERE {where})" if where else "{live}", where=where),
            holders=holders,
        )
        refusals += _list_taken(staging, group)
        total += staging.refuse_blocked()
        refusals += _block_twice(staging, group, proposed)
        total += staging.refuse_blocked()
    return RefusedRows(total, refusals)


def _proposed(staging: Staging, group: tuple[str, ...], condition: Q, where: str) -> str:
    """Return a SELECT of the rows that give an object new values of the group: line, old_pk and those values.

    What the condition is about stands beside them under the names of its columns, and rows that do not meet it are out.
    """
    stored, about = set(staging.stored), sorted(condition.referenced_base_fields)
    fields = {staging.quote(field): field for field in group} | {staging.column(field): field for field in about}
    now = {name: f"l.{staging.column(field)}" for name, field in fields.items()}
    finals = now | {name: f"x.{staging.quote(field)}" for name, field in fields.items() if field in stored}
    moves = " OR ".join(f"{finals[name]} IS DISTINCT FROM {now[name]}" for name in fields)
    values = ", ".join(f"{finals[name]} AS {name}" for name in fields)
    select = "SELECT x.line, x.old_pk, {values} FROM {changed} x JOIN {live} l ON l.{pk} = x.old_pk WHERE {moves}"
    if set(group) <= stored:
        # What is left out here, new objects get from the completer, which sees to it that it is free.
        select += " UNION ALL SELECT w.line, w.old_pk, {news} FROM {created} w"
    news = ", ".join(_new_value(staging, field) for field in fields.values())
    rows = staging.fill(select, values=values, moves=moves, news=news)
    return staging.fill("SELECT * FROM ({rows}) q WHERE {where}", rows=rows, where=where) if where else rows


def _new_value(staging: Staging, field: str) -> str:
    """Return the SQL for what a new object gets in a field: the row's value, or the default where that is blank."""
    of_model = field_of(staging.spec.model, field)
    value = f"w.{staging.quote(field)}" if field in staging.stored else "NULL"
    if of_model.null or not of_model.has_default():
        return value
    default = of_model.get_db_prep_save(of_model.get_default(), staging.connection)
    return f"COALESCE({value}, {staging.connection.schema_editor().quote_value(default)})"


def _block_twice(staging: Staging, group: tuple[str, ...], proposed: str) -> list[Refusal]:
    staging.empty("imports_blocked")
    # Values that two rows give to two objects: both rows, each with the line of another one.
    staging.run(
        """
        INSERT INTO {blocked} (line, holder)
        SELECT p.line, CASE WHEN p.line = d.line1 THEN d.line2 ELSE d.line1 END FROM ({proposed}) p JOIN (
            SELECT {names}, MIN(line) AS line1, MAX(line) AS line2 FROM ({proposed}) e
            GROUP BY {names} HAVING COUNT(*) > 1
        ) d ON {same}
        """,
        proposed=proposed,
        names=staging.names(group),
        same=staging.same(group, "d", "p"),
    )
    words = group_in_words(staging, group)
    return [
        Refusal(
            cell.line,
            cell.header,
            cell.text,
            "twice_in_file",
            f"line {cell.holder} has the same {words}; both are refused",
        )
        for cell in _blocked_cells(staging, group)
    ]


def _list_taken(staging: Staging, group: tuple[str, ...]) -> list[Refusal]:
    blocked = _blocked_cells(staging, group)
    model = staging.spec.model
    keys = {cell.holder: model._meta.pk.to_python(cell.holder) for cell in blocked}
    holders = model._base_manager.using(staging.using).in_bulk(set(keys.values()))
    words = group_in_words(staging, group)
    hints = {holder: f"{holders[key]} (id {key}) has this {words} already" for holder, key in keys.items()}
    return [Refusal(cell.line, cell.header, cell.text, "taken", hints[cell.holder]) for cell in blocked]


def group_in_words(staging: Staging, group: tuple[str, ...]) -> str:
    """Return what a group of fields is called in a sentence, in the words of the file where it has them."""
    return " and ".join(staging.spec.follows.get(field, field).replace("_", " ") for field in group)


def _blocked(staging: Staging) -> list[tuple[int, str]]:
    return staging.rows("SELECT line, holder FROM {blocked} ORDER BY line LIMIT {limit}", limit=str(REFUSALS_LISTED))


def _blocked_cells(staging: Staging, group: tuple[str, ...]) -> list[BlockedCell]:
    """Return the blocked rows, each with the last cell of the group that is filled."""
    fields = [staging.spec.follows.get(field, field) for field in group]
    columns = [_column(staging, field) for field in reversed(fields) if field in staging.layout.fields]
    cells = "".join(f", s.{staging.quote(column.field)}" for column in columns)
    # The first rows that are blocked, each with what it says there.
    rows = staging.rows(
        """
        SELECT b.line, b.holder{cells} FROM {blocked} b JOIN {staged} s ON s.line = b.line
        ORDER BY b.line LIMIT {limit}
        """,
        cells=cells,
        limit=str(REFUSALS_LISTED),
    )
    blocked: list[BlockedCell] = []
    for line, holder, *texts in rows:
        filled = ((c.header, str(text)) for c, text in zip(columns, texts, strict=True) if text not in (None, ""))
        blocked.append(BlockedCell(line, holder, *next(filled, ("(row)", ""))))
    return blocked


def _column(staging: Staging, field: str) -> Column:
    return next(column for column in staging.spec.columns if column.field == field)
