"""Changing one field of many objects by the rules of their form: new values, refusals, and what follows the field.

The new values stand in a temporary table beside the selection; they are made, and checked, a chunk at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

from django.db import models
from django.db.models.expressions import RawSQL

from apps.changesets.bulk.rules import Following, Rules
from apps.changesets.bulk.selection import Selection
from apps.changesets.bulk.ways import CLEAR, SET, WAYS
from apps.changesets.fields import AnyField, column_of, field_of, target_of
from apps.changesets.history.values import EMPTY
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_for

TABLE = "bulk_edits"
_CHUNK = 5000


@dataclass(frozen=True)
class Edit:
    """What becomes of a field: a way with its inputs, of which `value` is as the form takes it; and the form's rules.

    `words` is what was chosen, for the person; as text it tells one choice from every other.
    """

    field: AnyField
    way: str
    rules: Rules
    inputs: Mapping[str, Any]
    words: str

    def __str__(self) -> str:
        return f"{self.field.name} {self.way} {dict(self.inputs)}"

    @property
    def is_constant(self) -> bool:
        """Whether all objects get the same value, which the form has taken."""
        return self.way in (SET, CLEAR)

    @cached_property
    def source(self) -> AnyField:
        """The field whose values are changed, or taken."""
        return self.inputs.get("source") or self.field

    @cached_property
    def followings(self) -> tuple[Following, ...]:
        """What is made again with the field."""
        return tuple(follows for follows in self.rules.followings(self.field.name) if follows.lead == self.field.name)

    @cached_property
    def refill(self) -> Following | None:
        """What the field is made of again where it is left empty."""
        rules = self.rules.followings(self.field.name)
        return next((follows for follows in rules if follows.field == self.field.name), None)

    @cached_property
    def written(self) -> tuple[AnyField, ...]:
        """All fields that are written: the field and those that follow it."""
        return (self.field, *(field_of(self.field.model, follows.field) for follows in self.followings))


class Edits:
    """The table of an edit: the keys of the objects that would get another value, the values, and why not (or "")."""

    def __init__(self, selection: Selection, edit: Edit) -> None:
        self.edit = edit
        self.tracked: Tracked = tracked_for(selection.model)
        sql = selection.sql.with_model(self.tracked).with_temps(edits=TABLE)
        self.sql: Sql = sql.with_names(field=column_of(edit.field))

    @property
    def columns(self) -> list[str]:
        """The columns that are written."""
        return [column_of(written) for written in self.edit.written]

    def keys(self, *, refused: bool = False) -> str:
        """Return the query of the keys that are written, or of those that are refused."""
        return self.sql.fill("SELECT pk FROM {edits} WHERE refused {is} ''", **{"is": "<>" if refused else "="})

    def fill(self, selection: Selection) -> None:
        """Make the values of all selected objects, and put those that differ into the table."""
        types = [f"{self.sql.quote(column_of(f))} {_type_of(self.sql, f)}" for f in self.edit.written]
        definitions = ", ".join([f"pk {self.sql.key_type(self.tracked)} PRIMARY KEY, refused text NOT NULL", *types])
        self.sql.run("CREATE TEMPORARY TABLE {name} ({definitions})", name=TABLE, definitions=definitions)
        selection.temps.append(TABLE)
        rows = selection.rows().order_by().values_list(*_names_read(self.edit)).iterator(chunk_size=_CHUNK)
        while chunk := list(islice(rows, _CHUNK)):
            # All of them before: while PostgreSQL takes rows in, the connection answers no question.
            values = list(_Chunk(self.edit, chunk).edited())
            self.sql.load(self.sql.temp(TABLE), ["pk", "refused", *self.columns], self._for_database(values))
        self.sql.analyze(TABLE)

    def refuse(self, refusals: Sequence[tuple[Any, str]]) -> None:
        """Note why some objects are refused, by their keys."""
        if not refusals:
            return
        refused = self.sql.with_temps(refusals="bulk_refusals")
        refused.fresh_temp("bulk_refusals", f"pk {self.sql.key_type(self.tracked)}, why text")
        refused.load(refused.temp("bulk_refusals"), ["pk", "why"], refusals)
        # The sentence beside the new value.
        refused.run("UPDATE {edits} AS e SET refused = r.why FROM {refusals} r WHERE r.pk = e.pk")
        refused.drop_temps(["bulk_refusals"])

    def _for_database(self, rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        fields = [self.tracked.model._meta.pk, *self.edit.written]
        for pk, why, *values in rows:
            key, *stored = (
                f.get_db_prep_save(value, self.sql.connection) for f, value in zip(fields, (pk, *values), strict=True)
            )
            yield (key, why, *stored)


def _type_of(sql: Sql, column: AnyField) -> str:
    return column.rel_db_type(sql.connection) or "text"


def _names_read(edit: Edit) -> list[str]:
    """Return the attributes that are read of each object, its key first."""
    model = edit.field.model
    rules = [*edit.followings, *([edit.refill] if edit.refill else [])]
    besides = edit.rules.besides(edit.field.name)
    names = [edit.field.name, edit.source.name]
    names += [name for follows in rules for name in (follows.field, follows.lead)]
    names += [name for beside in besides for name in (beside.field, beside.other)]
    return ["pk", *dict.fromkeys(field_of(model, name).attname for name in names)]


class _Chunk:
    """Some objects as they are, by column, and what the edit makes of them."""

    def __init__(self, edit: Edit, rows: Sequence[tuple[Any, ...]]) -> None:
        self.edit = edit
        self.now: dict[str, tuple[Any, ...]] = dict(zip(_names_read(edit), zip(*rows, strict=True), strict=True))

    def edited(self) -> Iterator[tuple[Any, ...]]:
        """Yield key, refusal and new values (field, followers) of the objects that would get another value."""
        after = self._made()
        places, why = list(after), {place: why for place, (_value, why) in after.items() if why}
        new = {place: value for place, (value, _why) in after.items()}
        self._ask_besides(new, why)
        followers = [self._followed(follows, places, new) for follows in self.edit.followings]
        for number, place in enumerate(places):
            yield (
                self.now["pk"][place],
                why.get(place, ""),
                new[place],
                *(values[number] for values in followers),
            )

    def _made(self) -> dict[int, tuple[Any, str]]:
        """Return new value and refusal by place, of the objects that have another one now."""
        edit, now = self.edit, self.now[self.edit.field.attname]
        make = WAYS[edit.way].make(edit.inputs)
        raw = list(map(make, self.now[edit.source.attname]))
        taken: dict[Any, tuple[Any, str]] = {}
        distinct = list(dict.fromkeys(new for old, new in zip(now, raw, strict=True) if old != new))
        if edit.is_constant:
            taken = {value: (value, "") for value in distinct}
        elif distinct:
            taken = dict(zip(distinct, edit.rules.clean_values(edit.field.name, distinct), strict=True))
        made = {place: taken[new] for place, (old, new) in enumerate(zip(now, raw, strict=True)) if old != new}
        if edit.refill is not None:
            made = {place: self._refilled(edit.refill, place, *of) for place, of in made.items()}
        return {place: (value, why) for place, (value, why) in made.items() if why or value != now[place]}

    def _refilled(self, refill: Following, place: int, value: Any, why: str) -> tuple[Any, str]:
        if why or value not in EMPTY:
            return value, why
        return refill.make([self.now[refill.lead][place]])[0], ""

    def _ask_besides(self, new: Mapping[int, Any], why: dict[int, str]) -> None:
        name = self.edit.field.name
        for beside in self.edit.rules.besides(name):
            of_field, of_other = (
                self._as_asked(name_of, new if name_of == name else None, new)
                for name_of in (beside.field, beside.other)
            )
            for place in new:
                value, other = of_field[place], of_other[place]
                if place not in why and value and other and (refusal := beside.why(value, other)):
                    why[place] = refusal

    def _as_asked(self, name: str, new: Mapping[int, Any] | None, places: Mapping[int, Any]) -> dict[int, Any]:
        """Return the values of a field by place, as they will be; links as objects."""
        asked = field_of(self.edit.field.model, name)
        values = dict(new) if new is not None else {place: self.now[asked.attname][place] for place in places}
        if not asked.is_relation:
            return values
        keys = {value for value in values.values() if value is not None}
        target = target_of(asked)
        # With what their names may be made of.
        links = [field.name for field in target._meta.concrete_fields if field.is_relation and not field.null]
        rows = target._base_manager.all()
        objects = (rows.select_related(*links) if links else rows).in_bulk(keys)
        return {place: objects.get(value) for place, value in values.items()}

    def _followed(self, follows: Following, places: Sequence[int], new: Mapping[int, Any]) -> list[Any]:
        """Return the values of a follower: made of the new one where it was made of the old one, or is always."""
        made = follows.make([new[place] or "" for place in places])
        if follows.always:
            return made
        leads, was = self.now[follows.lead], self.now[field_of(self.edit.field.model, follows.field).attname]
        of_old = follows.make([leads[place] or "" for place in places])
        return [
            value if was[place] in EMPTY or of_old[number] == was[place] else was[place]
            for number, (place, value) in enumerate(zip(places, made, strict=True))
        ]


def keys_of(model: type[models.Model], edits: Edits, *, refused: bool = False) -> models.QuerySet[Any]:
    """Return the objects that are written, or those that are refused."""
    keys = RawSQL(edits.keys(refused=refused), ())  # noqa: S611 - the names are ours
    return model._base_manager.filter(pk__in=keys)
