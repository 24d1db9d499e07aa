"""Ending corrections: the values of one source become those that upstream said last."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import models
from django.utils import timezone

from apps.changesets.acts.lines import Line
from apps.changesets.bulk.apply import BulkWork
from apps.changesets.bulk.plans import SAMPLE, BulkPlan, Options
from apps.changesets.bulk.rehearsal import rehearsed
from apps.changesets.bulk.selection import Selection
from apps.changesets.fields import column_of, field_of
from apps.changesets.models import Kind
from apps.changesets.text import counted, plural
from apps.changesets.tracking import tracked_for
from apps.imports.mapping.columns import Derived
from apps.imports.plan.correction_sources import sources_of
from apps.imports.plan.corrections import Corrections, corrections_of
from apps.imports.registry import spec_for
from apps.imports.staging.upstream_values import LiveTable, base, corrected

_TABLE = "imports_ending"
Pairs = Sequence[tuple[Any, str]]


def pairs_of_source(model: type[models.Model], source: str, field: str = "") -> tuple[Corrections, Pairs]:
    """Return the corrections of a model, and which of them are of this source, and of this field where one is given."""
    corrections = corrections_of(model)
    shown = corrections.of(field) if field else corrections
    titles = sources_of(shown)
    return corrections, [pair for pair in shown.pairs if titles.get(pair) == source]


def ending(source: str, field: str = "") -> BulkWork:
    """Return the work that ends the corrections of a source among the selected objects; pinned values stay."""

    def plan(selection: Selection, options: Options) -> BulkPlan:
        corrections, pairs = pairs_of_source(selection.model, source, field)
        ends = list(_that_end(selection.model, corrections, pairs))
        objects = list(dict.fromkeys(pk for pk, _field in ends))
        values, stay = counted(len(ends), "value"), len(pairs) - len(ends)
        lines = [
            Line("changed", len(objects), f"will have {values} of {source} as upstream said last"),
            Line("kept", stay, f"{plural(stay, 'value is', 'values are')} pinned, or a key, and will stay"),
        ]
        return BulkPlan(
            len(objects),
            f"{values} of {source}",
            f"{values} of {source} ended.",
            tuple(line for line in lines if line.number),
            tuple(str(row) for row in selection.model._base_manager.filter(pk__in=objects[:SAMPLE]).order_by("pk")),
            facts={"ends": ends},
        )

    def write(selection: Selection, plan: BulkPlan, options: Options) -> None:
        _take_upstream(selection.model, plan.facts["ends"])

    return BulkWork(Kind.BULK_ACTION, plan, write)


def _that_end(model: type[models.Model], corrections: Corrections, pairs: Pairs) -> Iterator[tuple[Any, str]]:
    """Yield the values that can end: what is pinned stays, and so does a primary key, which another may have by now."""
    key = model._meta.pk.name
    return ((pk, field) for pk, field in pairs if (pk, field) not in corrections.pins and field != key)


def _take_upstream(model: type[models.Model], ends: Pairs) -> None:
    """Write upstream's last values over these, each object once."""
    live = LiveTable("default", spec_for(model))
    fields = list(dict.fromkeys(field for _pk, field in ends))
    derived = [made for made in live.spec.derived_in(set(fields)) if made.stored and not made.merged]
    _load(live, ends, fields, derived)
    values = {
        **{
            field: _value(live, field, _ends(live, field, place), base(live, field))
            for place, field in enumerate(fields)
        },
        # What is worked out from such a value, and of which upstream says nothing itself.
        **{made.field: _value(live, made.field, f"e.{made.field} IS NOT NULL", f"e.{made.field}") for made in derived},
    }
    if rehearsal := rehearsed():
        source = live.fill("FROM {ending} e JOIN {live} l ON e.pk = l.{pk}", ending=live.temp(_TABLE))
        shown = {field_of(model, name): value for name, value in values.items()}
        rehearsal.note(live, tracked_for(model), source, after={f: v for f, v in shown.items() if f.editable})
        live.drop_temps([_TABLE])
        return
    sets = [f"{live.column(field)} = {value}" for field, value in values.items()]
    stamps = [column_of(field) for field in model._meta.concrete_fields if getattr(field, "auto_now", False)]
    sets += [f"{live.quote(column)} = %s" for column in stamps]
    live.run(
        "UPDATE {live} AS l SET {sets} FROM {ending} e WHERE e.pk = l.{pk}",
        [live.moment(timezone.now())] * len(stamps),
        sets=", ".join(sets),
        ending=live.temp(_TABLE),
    )
    live.drop_temps([_TABLE])


def _ends(live: LiveTable, field: str, place: int) -> str:
    return f"(e.bits & {1 << place}) > 0 AND {corrected(live, field)}"


def _value(live: LiveTable, field: str, condition: str, value: str) -> str:
    return f"CASE WHEN {condition} THEN {value} ELSE l.{live.column(field)} END"


def _load(live: LiveTable, ends: Pairs, fields: Sequence[str], derived: Sequence[Derived]) -> None:
    """Fill the table of the objects: the fields that end as bits of a number, and what is worked out from them."""
    key = live.spec.model._meta.pk.get_db_prep_save
    bits: dict[Any, int] = {}
    for pk, field in ends:
        pk = key(pk, live.connection)
        bits[pk] = bits.get(pk, 0) | 1 << fields.index(field)
    columns = "".join(f", {made.field} {live.column_type(made.field)}" for made in derived)
    live.fresh_temp(_TABLE, f"pk {live.key_type(tracked_for(live.spec.model))} PRIMARY KEY, bits bigint{columns}")
    live.load(_TABLE, ("pk", "bits"), bits.items())
    for made in derived:
        # The objects whose value ends, and what upstream says.
        rows = live.rows(
            "SELECT {value}, e.pk FROM {ending} e JOIN {live} l ON l.{pk} = e.pk WHERE {ends}",
            value=base(live, made.follows),
            ending=live.temp(_TABLE),
            ends=_ends(live, made.follows, fields.index(made.follows)),
        )
        worked_out = made.derive([value for value, _pk in rows])
        live.run_many(
            "UPDATE {ending} SET {field} = %s WHERE pk = %s",
            [(value, pk) for value, (_value, pk) in zip(worked_out, rows, strict=True)],
            ending=live.temp(_TABLE),
            field=made.field,
        )
