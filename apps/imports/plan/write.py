"""Writing: the statements that bring the tables of a plan into the live table.

Order matters: superseded objects go first, then renamed ones are taken out and put back under their new primary keys,
which lets swaps and chains of keys through; the history pairs the two halves of a rename by the stable key.
"""

from collections.abc import Iterator
from typing import Any

from django.db import IntegrityError
from django.utils import timezone

from apps.changesets.fields import AnyField, column_of, field_of
from apps.changesets.recording import BY_SET
from apps.imports.errors import ImportFailure
from apps.imports.plan.complete import completed_join, completed_value
from apps.imports.plan.missing import superseded_pks
from apps.imports.plan.pins import settle_pins
from apps.imports.results import Progress
from apps.imports.spec import Link
from apps.imports.staging.tables import Staging

# How many lines of the file one statement writes.
_PORTION = 20_000


def write(staging: Staging) -> None:
    """Write what the tables of the plan say; inside a transaction, and a changeset, of the caller.

    Raises ImportFailure when a row breaks a constraint that planning knows nothing of.
    """
    try:
        _write(staging)
    except IntegrityError as error:
        raise ImportFailure(
            f"A row breaks a rule of the database ({str(error).splitlines()[0]}). Nothing was imported: mend the file, "
            "or leave that row out."
        ) from error


def _write(staging: Staging) -> None:
    now = staging.moment(timezone.now())
    written = Written(staging.progress)
    written.add(0)
    if staging.spec.linker:
        staging.spec.linker.create(staging, now)
    written.add(_write_missing(staging, now))
    if not staging.spec.automatic:
        _take_out_renamed(staging)
    _update(staging, now, written)
    if not staging.spec.automatic:
        written.add(_put_back_renamed(staging, now))
    _insert(staging, now, written)
    settle_pins(staging.spec.model)


class Written:
    """Counts the objects written so far, and reports progress."""

    def __init__(self, progress: Progress) -> None:
        self.progress, self.number = progress, 0

    def add(self, number: int) -> None:
        """Count some more; raises RunCancelled when somebody asked to stop."""
        self.number += number
        self.progress("write", self.number)


def _portions(staging: Staging, table: str) -> Iterator[tuple[int, int]]:
    """Yield the first and last line of portions of a table, so that progress is seen between the statements."""
    first, last = staging.rows("SELECT MIN(line), MAX(line) FROM {name}", name=f"imports_{table}")[0]
    if first is not None:
        for start in range(first, last + 1, _PORTION):
            yield start, min(start + _PORTION - 1, last)


def _write_missing(staging: Staging, now: Any) -> int:
    if not staging.has_rows("imports_missing"):
        return 0
    # Superseded objects are deleted first.
    gone = staging.run("DELETE FROM {live} WHERE {pk} IN ({keys})", keys=superseded_pks(staging))
    if staging.options.missing == "delete":
        # So are the other missing objects.
        gone += staging.run("DELETE FROM {live} WHERE {pk} IN (SELECT old_pk FROM {missing})")
    if staging.options.missing == "deactivate":
        touched = [column_of(field) for field in _fields(staging) if getattr(field, "auto_now", False)]
        # The upstream values change too: otherwise it would look like a correction when the object comes back.
        gone += staging.run(
            """
            UPDATE {live} SET {active} = FALSE, {upstream} = {inactive}{touch}
            WHERE {active} AND {pk} IN (SELECT old_pk FROM {missing})
            """,
            [now] * len(touched),
            inactive=_upstream_inactive(staging),
            touch="".join(f", {staging.quote(column)} = %s" for column in touched),
        )
    return gone


def _upstream_inactive(staging: Staging) -> str:
    field = staging.spec.active
    if field is None:
        raise LookupError(f"Nothing says whether one of the {staging.spec.name} is active.")
    if staging.postgresql:
        return staging.fill("jsonb_set({upstream}, '{{{field}}}', 'false')", field=field)
    # As text, so that it stays exactly as Django's JSONField writes it; inside a value the quotes are escaped.
    return staging.fill("REPLACE({upstream}, '\"{field}\": true', '\"{field}\": false')", field=field)


def _fields(staging: Staging, *, new: bool = False) -> list[AnyField]:
    """Return the fields of the table; of new rows the database gives an automatic primary key."""
    fields = staging.spec.model._meta.concrete_fields
    by_itself = new and staging.spec.automatic and not staging.spec.makes_keys
    return [field for field in fields if not (by_itself and field.primary_key)]


def _final_values(staging: Staging, rows: str, now: Any, *, live: str | None) -> tuple[list[str], list[Any]]:
    """Return, for each field of the table, the SQL of its value from `rows`, and the values to bind.

    `live` is the alias of the row as it is now, or None for a new object.
    """
    links = {link.field: link for link in staging.links}
    completed = staging.spec.completer.fields if staging.spec.completer and live is None else ()
    expressions, params = [], []
    for field in _fields(staging, new=live is None):
        if field.primary_key and live is None and staging.spec.makes_keys:
            expressions.append("k.pk")
        elif field.name in completed:
            expressions.append(completed_value(staging, field.name, rows))
        elif field.name in staging.stored or field.name == staging.spec.upstream:
            value = f"{rows}.{staging.quote(field.name)}"
            if live is None and _falls_back(field):
                value = f"COALESCE({value}, %s)"
                params.append(_default(staging, field))
            expressions.append(value)
        elif field.name in links:
            target = _link_target(staging, links[field.name])
            otherwise = f" ELSE {live}.{staging.quote(column_of(field))}" if live else ""
            expressions.append(f"CASE WHEN {rows}.{staging.want(field.name)} THEN {target}{otherwise} END")
        elif getattr(field, "auto_now", False) or (live is None and getattr(field, "auto_now_add", False)):
            expressions.append("%s")
            params.append(now)
        elif live:
            expressions.append(f"{live}.{staging.quote(column_of(field))}")
        else:
            expressions.append("%s")
            params.append(_default(staging, field))
    return expressions, params


def _falls_back(field: AnyField) -> bool:
    """Whether a new object gets the field's default where its row is blank; blank text is text."""
    return field.has_default() and not field.null and not field.empty_strings_allowed


def _default(staging: Staging, field: AnyField) -> Any:
    return field.get_db_prep_save(field.get_default(), staging.connection)


def _link_target(staging: Staging, link: Link) -> str:
    if staging.spec.linker is None:
        raise LookupError(f"Nothing finds what {link.field} points to.")
    return staging.spec.linker.target(staging, link)


def _joins(staging: Staging, rows: str) -> str:
    return staging.spec.linker.joins(staging, rows) if staging.spec.linker else ""


def _names(staging: Staging, *, new: bool = False) -> str:
    return staging.names(column_of(field) for field in _fields(staging, new=new))


def _take_out_renamed(staging: Staging) -> None:
    staging.run("DROP TABLE IF EXISTS {renamed}")
    # The renamed objects as they are, to carry along what the file says nothing about ...
    staging.run(
        """
        CREATE TEMP TABLE {renamed} AS
        SELECT l.* FROM {live} l JOIN {changed} x ON x.old_pk = l.{pk} WHERE x.{new_pk} <> x.old_pk
        """
    )
    staging.analyze("imports_renamed", [column_of(field_of(staging.spec.model, staging.spec.pk))])
    # ... then they are deleted, which frees their primary keys.
    staging.run("DELETE FROM {live} WHERE {pk} IN (SELECT {pk} FROM {renamed})")


def _put_back_renamed(staging: Staging, now: Any) -> int:
    expressions, params = _final_values(staging, "x", now, live="l")
    # Renamed objects come back under their new primary keys, with everything they had.
    put_back = staging.run(
        """
        INSERT INTO {live} ({names})
        SELECT {values} FROM {changed} x JOIN {renamed} l ON l.{pk} = x.old_pk {joins}
        """,
        params,
        names=_names(staging),
        values=", ".join(expressions),
        joins=_joins(staging, "x"),
    )
    staging.run("DROP TABLE {renamed}")
    return put_back


def _update(staging: Staging, now: Any, written: Written) -> None:
    live = staging.fill("{live}")
    expressions, params = _final_values(staging, "x", now, live=live)
    sets = [
        f"{staging.quote(column_of(field))} = {expression}"
        for field, expression in zip(_fields(staging), expressions, strict=True)
        if field.name != staging.spec.pk and expression != f"{live}.{staging.quote(column_of(field))}"
    ]
    stays = "" if staging.spec.automatic else staging.fill("AND x.{new_pk} = x.old_pk")
    for first, last in _portions(staging, "changed"):
        # Changed objects that keep their primary key get their final values.
        number = staging.run(
            """{by_set}
            UPDATE {live} SET {sets} FROM {changed} x {joins}
            WHERE {live}.{pk} = x.old_pk {stays} AND x.line BETWEEN %s AND %s AND ({differs})
            """,
            [*params, first, last],
            by_set=BY_SET,
            sets=", ".join(sets),
            joins=_joins(staging, "x"),
            stays=stays,
            differs=_still_differs(staging),
        )
        written.add(number)


def _still_differs(staging: Staging) -> str:
    """Return the condition that a changed row `x` changes its live object.

    It may lack a link only, which nothing was found for, or stand there for what a pin holds against it.
    """
    values = {staging.column(field): f"x.{staging.quote(field)}" for field in staging.stored}
    if staging.spec.upstream:
        values[staging.column(staging.spec.upstream)] = staging.fill("x.{upstream}")
    differs = [staging.fill("{live}.{column} IS DISTINCT FROM {value}", column=c, value=v) for c, v in values.items()]
    differs += [
        staging.fill(
            "x.{want} AND {live}.{column} IS DISTINCT FROM {target}",
            want=staging.want(link.field),
            column=staging.column(link.field),
            target=_link_target(staging, link),
        )
        for link in staging.links
    ]
    return " OR ".join(differs)


def _insert(staging: Staging, now: Any, written: Written) -> None:
    expressions, params = _final_values(staging, "w", now, live=None)
    for first, last in _portions(staging, "staged"):
        # New objects, linked from the start; with automatic keys in the order of the file.
        number = staging.run(
            """
            INSERT INTO {live} ({names})
            SELECT {values} FROM {created} w {joins} {completed_join} WHERE w.line BETWEEN %s AND %s {order}
            """,
            [*params, first, last],
            names=_names(staging, new=True),
            values=", ".join(expressions),
            joins=_joins(staging, "w"),
            completed_join=completed_join(staging, "w"),
            order="ORDER BY w.line" if staging.spec.automatic else "",
        )
        written.add(number)
