"""Identity without a stable key: objects that a row names by an automatic key or by several columns together.

Nothing is renamed here, so nothing makes room: a row that would give an object what another one has, be it the same
identity or any other group of values that must be unique, is refused and says who has it, also where the two swap.
"""

from apps.imports.plan.refuse import refuse_blocked
from apps.imports.results import REFUSALS_LISTED, Refusal
from apps.imports.spec import Column
from apps.imports.staging.tables import Staging

Refused = tuple[int, list[Refusal]]


def refuse_unknown_references(staging: Staging) -> Refused:
    """Refuse rows with a code that no object has, and changes to one that is gone; none is created for them."""
    total, refusals = 0, []
    for field, refers in staging.spec.referred.items():
        if field not in staging.layout.fields:
            continue
        column = _column(staging, field)
        staging.run("DELETE FROM {blocked}")
        # Rows with a code, but no object of that code.
        staging.run("INSERT INTO {blocked} (line, holder) SELECT s.line, s.{code} FROM {staged} s "
                    "WHERE s.{code} IS NOT NULL AND {found} IS NULL",
                    code=staging.quote(column.field), found=staging.staged(column.field))  # fmt: skip
        target = refers.model._meta
        # Changes, planned earlier, that point to an object which is no longer there.
        staging.run("INSERT INTO {blocked} (line, holder) SELECT x.line, x.{field} FROM {changed} x "
                    "WHERE x.{field} IS NOT NULL "
                    "AND NOT EXISTS (SELECT 1 FROM {table} r WHERE r.{target_pk} = x.{field})",
                    field=staging.quote(column.field), table=staging.quote(target.db_table),
                    target_pk=staging.quote(target.pk.column))  # fmt: skip
        what = target.verbose_name
        hint = f"there is no {what} with this {refers.by.replace('_', ' ')}: add it first, or mend the code"
        refusals += [Refusal(line, column.header, code, "unknown", hint) for line, code in _blocked(staging)]
        total += refuse_blocked(staging)
    return total, refusals


def refuse_unknown_keys(staging: Staging) -> Refused:
    """Refuse rows that give an automatic key which no live object has: the database gives those, never a file."""
    if staging.spec.natural not in staging.layout.fields:
        return 0, []
    staging.run("DELETE FROM {blocked}")
    # Rows with a key that found no object.
    staging.run("INSERT INTO {blocked} (line, holder) SELECT s.line, s.{n} FROM {staged} s WHERE s.{n} IS NOT NULL "
                "AND NOT EXISTS (SELECT 1 FROM {live} l WHERE l.{pk} = s.{n})",
                n=staging.quote(staging.spec.natural))  # fmt: skip
    header = _column(staging, staging.spec.natural).header
    what = staging.spec.model._meta.verbose_name
    hint = f"no {what} has this {header}: leave the cell blank for a new one"
    refusals = [Refusal(line, header, value, "unknown_object", hint) for line, value in _blocked(staging)]
    return refuse_blocked(staging), refusals


def identify_by_values(staging: Staging) -> None:
    """Match the rows not matched so far with the live object that has the same values of the identity."""
    spec = staging.spec
    if not set(spec.identity_columns) <= staging.layout.fields:
        return
    same = " AND ".join(f"l.{staging.column(field)} = {staging.staged(field)}" for field in spec.identity)
    named = f"AND s.{staging.quote(spec.natural)} IS NULL" if spec.natural in staging.layout.fields else ""
    # Rows without a key, by all values of the identity together.
    staging.run("INSERT INTO {matched} (line, old_pk) SELECT s.line, l.{pk} FROM {staged} s JOIN {live} l ON {same} "
                "WHERE NOT EXISTS (SELECT 1 FROM {matched} m WHERE m.line = s.line) {named}",
                same=same, named=named)  # fmt: skip


def forget_unmatched(staging: Staging) -> int:
    """Take the rows about no object out, of an import that creates none, and return how many they were."""
    return staging.run("DELETE FROM {staged} WHERE line NOT IN (SELECT line FROM {matched})")


def refuse_clashes(staging: Staging) -> Refused:
    """Refuse rows whose object would get a group of unique values that another object has, or another row gives."""
    total, refusals = 0, []
    for group in staging.spec.unique:
        staging.run("DELETE FROM {blocked}")
        proposed = _proposed(staging, group)
        holders = " AND ".join(f"h.{staging.column(field)} = p.{staging.quote(field)}" for field in group)
        # Values that another live object has now, whatever becomes of it.
        staging.run("INSERT INTO {blocked} (line, holder) SELECT p.line, MIN(CAST(h.{pk} AS text)) FROM ({proposed}) p "
                    "JOIN {live} h ON {holders} WHERE p.old_pk IS NULL OR h.{pk} <> p.old_pk GROUP BY p.line",
                    proposed=proposed, holders=holders)  # fmt: skip
        refusals += _list_taken(staging, group)
        total += refuse_blocked(staging)
        refusals += _block_twice(staging, group, proposed)
        total += refuse_blocked(staging)
    return total, refusals


def _proposed(staging: Staging, group: tuple[str, ...]) -> str:
    """Return a SELECT of the rows that give an object new values of the group: line, old_pk and those values."""
    names = ", ".join(map(staging.quote, group))
    written = {field: f"x.{staging.quote(field)}" for field in staging.stored}
    finals = {field: written.get(field, f"l.{staging.column(field)}") for field in group}
    moves = " OR ".join(f"{value} IS DISTINCT FROM l.{staging.column(field)}" for field, value in finals.items())
    values = ", ".join(f"{value} AS {staging.quote(field)}" for field, value in finals.items())
    select = "SELECT x.line, x.old_pk, {values} FROM {changed} x JOIN {live} l ON l.{pk} = x.old_pk WHERE {moves}"
    if set(group) <= set(staging.stored):
        # What is left out here, new objects get from the completer, which sees to it that it is free.
        select += " UNION ALL SELECT w.line, w.old_pk, {names} FROM {created} w"
    return staging.fill(select, values=values, moves=moves, names=names)


def _block_twice(staging: Staging, group: tuple[str, ...], proposed: str) -> list[Refusal]:
    names = ", ".join(map(staging.quote, group))
    same = " AND ".join(f"d.{name} = p.{name}" for name in map(staging.quote, group))
    staging.run("DELETE FROM {blocked}")
    # Values that two rows give to two objects: both rows, each with the line of another one.
    staging.run("INSERT INTO {blocked} (line, holder) "
                "SELECT p.line, CASE WHEN p.line = d.line1 THEN d.line2 ELSE d.line1 END FROM ({proposed}) p "
                "JOIN (SELECT {names}, MIN(line) AS line1, MAX(line) AS line2 FROM ({proposed}) e "
                "GROUP BY {names} HAVING COUNT(*) > 1) d ON {same}",
                proposed=proposed, names=names, same=same)  # fmt: skip
    words = group_in_words(staging, group)
    return [
        Refusal(line, *cell, "twice_in_file", f"line {other} has the same {words}; both are refused")
        for line, other, cell in _blocked_cells(staging, group)
    ]


def _list_taken(staging: Staging, group: tuple[str, ...]) -> list[Refusal]:
    blocked = _blocked_cells(staging, group)
    model = staging.spec.model
    keys = {holder: model._meta.pk.to_python(holder) for _line, holder, _cell in blocked}
    holders = model._base_manager.using(staging.connection.alias).in_bulk(set(keys.values()))
    words = group_in_words(staging, group)
    return [
        Refusal(line, *cell, "taken", f"{holders[keys[holder]]} (id {keys[holder]}) has this {words} already")
        for line, holder, cell in blocked
    ]


def group_in_words(staging: Staging, group: tuple[str, ...]) -> str:
    """Return what a group of fields is called in a sentence, in the words of the file where it has them."""
    follows = {each.field: each.follows for each in staging.spec.derived}
    return " and ".join(follows.get(field, field).replace("_", " ") for field in group)


def _blocked(staging: Staging) -> list[tuple[int, str]]:
    return staging.fetch("SELECT line, holder FROM {blocked} ORDER BY line LIMIT {limit}", limit=str(REFUSALS_LISTED))


def _blocked_cells(staging: Staging, group: tuple[str, ...]) -> list[tuple[int, str, tuple[str, str]]]:
    """Return line, holder and the cell to blame (header and text) of each blocked row: the last one that is filled."""
    follows = {each.field: each.follows for each in staging.spec.derived}
    fields = [follows.get(field, field) for field in group]
    columns = [_column(staging, field) for field in reversed(fields) if field in staging.layout.fields]
    cells = "".join(f", s.{staging.quote(column.field)}" for column in columns)
    rows = staging.fetch("SELECT b.line, b.holder{cells} FROM {blocked} b JOIN {staged} s ON s.line = b.line "
                         "ORDER BY b.line LIMIT {limit}", cells=cells, limit=str(REFUSALS_LISTED))  # fmt: skip
    found = []
    for line, holder, *texts in rows:
        filled = ((c.header, str(text)) for c, text in zip(columns, texts, strict=True) if text not in (None, ""))
        found.append((line, holder, next(filled, ("(row)", ""))))
    return found


def _column(staging: Staging, field: str) -> Column:
    return next(column for column in staging.spec.columns if column.field == field)
