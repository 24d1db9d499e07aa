"""Whose values corrections are: of a file that somebody took over, by its title; and ending those of one source."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.changesets.acts.lines import Line
from apps.changesets.bulk.apply import BulkWork
from apps.changesets.bulk.plans import SAMPLE, BulkPlan, Options
from apps.changesets.bulk.rehearsal import rehearsed
from apps.changesets.bulk.selection import Selection
from apps.changesets.fields import column_of, field_of
from apps.changesets.history.cache import remembered, state_of_tables
from apps.changesets.models import Changeset, Kind
from apps.changesets.text import counted, plural
from apps.changesets.tracking import Tracked, tracked_for
from apps.imports.mapping.columns import Derived
from apps.imports.plan.corrections import Corrections, corrections_of
from apps.imports.registry import spec_for
from apps.imports.staging.upstream_values import LiveTable, base, corrected

Sources = dict[tuple[Any, str], str]


def sources_of(corrections: Corrections, *, using: str = "default") -> Sources:
    """Return the source of each corrected value that a file brought; it is worked out once for each state of the table.

    A value is of the source whose file set it last: if somebody changed it since, it is theirs.
    """
    label = corrections.model._meta.label_lower
    state = state_of_tables(label, using=using)
    titles: Sources = remembered(f"corrections-by-source-{label}", state, lambda: dict(_sources(corrections, using)))
    wanted = set(corrections.pairs)
    return {pair: title for pair, title in titles.items() if pair in wanted}


def _sources(corrections: Corrections, using: str) -> Iterator[tuple[tuple[Any, str], str]]:
    titles = dict(Changeset.objects.using(using).exclude(source_title="").values_list("pk", "source_title"))
    fields = list(dict.fromkeys(field for _pk, field in corrections.pairs))
    if not titles or not fields:
        return
    tracked, pairs = tracked_for(corrections.model), set(corrections.pairs)
    for pk, origins in _origins(tracked, fields, list(titles), using):
        for field, changeset_id in origins.items():
            if changeset_id in titles and (pk, field) in pairs:
                yield (pk, field), titles[changeset_id]


def _origins(
    tracked: Tracked, fields: list[str], changesets: list[int], using: str
) -> Iterator[tuple[Any, dict[str, int]]]:
    """Yield the primary key of each object that one of these changesets wrote, and the changeset that set each field.

    As in `history.origins`: the newest row that differs in the field from the one before it, deletions seen through.
    """
    known: dict[Any, tuple[tuple[Any, ...], dict[str, int]]] = {}
    pks: dict[Any, Any] = {}
    for stable, pk, changeset_id, *values in _rows(tracked, fields, changesets, using):
        key = (stable, None) if stable is not None else (None, pk)
        before, origins = known.get(key, ((), {}))
        for place, field in enumerate(fields):
            if not before or before[place] != values[place]:
                origins[field] = changeset_id
        known[key], pks[key] = (tuple(values), origins), pk
    for key, (_values, origins) in known.items():
        yield pks[key], origins


def _rows(tracked: Tracked, fields: list[str], changesets: list[int], using: str) -> Iterator[tuple[Any, ...]]:
    history = tracked.history_model._base_manager.using(using).order_by()
    written = history.filter(changeset_id__in=changesets)
    pk = tracked.model._meta.pk.attname
    stable = tracked.stable_field.attname if tracked.stable_field else None
    if stable is None:
        touched: models.QuerySet[Any] = history.filter(**{f"{pk}__in": written.values(pk)})
    else:
        named = Q(**{f"{stable}__in": written.filter(**{f"{stable}__isnull": False}).values(stable)})
        unnamed = Q(
            **{f"{stable}__isnull": True, f"{pk}__in": written.filter(**{f"{stable}__isnull": True}).values(pk)}
        )
        touched = history.filter(named | unnamed)
    attnames = [field_of(tracked.model, field).attname for field in fields]
    rows = touched.exclude(history_type="-").order_by("history_id")
    for row in rows.values_list(pk, "changeset_id", *([stable] if stable else []), *attnames).iterator(chunk_size=5000):
        place = 3 if stable else 2
        yield (row[2] if stable else None, row[0], row[1], *row[place:])


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
