"""The report of corrections: every live value that is pinned or differs from the last value of upstream."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db import models

from apps.changesets.fields import AnyField, field_of
from apps.changesets.history.origins import Origin, origins_of_many
from apps.changesets.tracking import tracked_for
from apps.imports.models import Pin
from apps.imports.plan.pinned_rows import pinned_rows
from apps.imports.registry import spec_for
from apps.imports.spec import ImportSpec
from apps.imports.staging.upstream_values import LiveTable, corrected

# More than this are not cached.
_REMEMBERED = 20_000
_CHUNK = 200


@dataclass(frozen=True)
class Correction:
    """One field of one live object: our value, upstream's, who set ours, and the pin if there is one.

    `known` is whether upstream's last value is known; of links and of what never came from upstream it is not.
    """

    obj: models.Model
    stable_key: Any
    field: AnyField
    header: str
    value: Any
    upstream: Any
    known: bool
    origin: Origin | None
    pin: Pin | None

    @property
    def differs(self) -> bool:
        """Whether upstream has another value; a pinned value may be the same."""
        return self.known and self.value != self.upstream


@dataclass(frozen=True)
class Corrections:
    """Which fields of which objects are in the report: (primary key, field name), ordered; and the pins of some."""

    model: type[models.Model]
    pairs: tuple[tuple[Any, str], ...]
    pins: dict[tuple[Any, str], int]

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How many objects there are by field, the most first."""
        return Counter(field for _, field in self.pairs).most_common()

    def of(self, field: str) -> "Corrections":
        """Return those of one field."""
        return self.among({pair for pair in self.pairs if pair[1] == field})

    def among(self, pairs: Collection[tuple[Any, str]]) -> "Corrections":
        """Return those that are among the pairs given."""
        return Corrections(self.model, tuple(pair for pair in self.pairs if pair in pairs), self.pins)


def merged_fields(spec: ImportSpec) -> tuple[str, ...]:
    """Return the fields whose corrections stand against upstream; none without an upstream."""
    return spec.merged if spec.upstream else ()


def corrections_of(model: type[models.Model], *, using: str = "default") -> Corrections:
    """Return the corrections and pinned fields of all live objects of a model; raises LookupError without an import."""
    spec = spec_for(model)
    live = LiveTable(using, spec)
    order = {field.name: place for place, field in enumerate(model._meta.concrete_fields)}
    text, params = pinned_rows(live)
    # The pinned fields; under whichever key, the newest pin counts.
    pinned = live.rows("{pinned} ORDER BY pin_id", params, pinned=text)
    key_of = model._meta.pk.to_python
    pins = {(key_of(pk), field): pin_id for pk, field, pin_id in pinned if field in order}
    pairs = {*_corrected(live, using), *pins}
    return Corrections(model, tuple(sorted(pairs, key=lambda pair: (pair[0], order[pair[1]]))), pins)


def _corrected(live: LiveTable, using: str) -> tuple[tuple[Any, str], ...]:
    """Return the corrections; they are cached until the table changes, since finding them reads every row."""
    key = f"imports.corrections.{using}.{live.spec.model._meta.label_lower}.{_state_of(live.spec.model, using)}"
    pairs: tuple[tuple[Any, str], ...] | None = cache.get(key)
    if pairs is None:
        pairs = tuple(_scan(live))
        if len(pairs) <= _REMEMBERED:
            cache.set(key, pairs, 3600)
    return pairs


def _state_of(model: type[models.Model], using: str) -> str:
    """Name the state of a table: its newest history row, when that was written, and how many there are.

    A transaction may commit rows that are older by number than the newest, hence the count; a database restored from a
    backup may give the same numbers again, hence the time.
    """
    history = tracked_for(model).history_model._base_manager.using(using).order_by()
    newest = history.order_by("-history_id").values_list("history_id", "history_date").first()
    return f"{newest[0]}.{newest[1]:%Y%m%d%H%M%S%f}.{history.count()}" if newest else "0"


def _scan(live: LiveTable) -> Iterator[tuple[Any, str]]:
    fields = merged_fields(live.spec)
    if not fields:
        return
    bits = " + ".join(
        f"CASE WHEN {corrected(live, field)} THEN {1 << place} ELSE 0 END" for place, field in enumerate(fields)
    )
    # The objects with corrections, each with the fields concerned as bits of a number.
    rows = live.rows(
        """
        SELECT pk, bits FROM (SELECT l.{pk} AS pk, {bits} AS bits FROM {live} l) f WHERE bits > 0
        """,
        bits=bits,
    )
    for pk_value, number in rows:
        pk = live.spec.model._meta.pk.to_python(pk_value)
        yield from ((pk, field) for place, field in enumerate(fields) if number >> place & 1)


def read_corrections(
    corrections: Corrections, pairs: Sequence[tuple[Any, str]], *, using: str = "default"
) -> list[Correction]:
    """Return the pairs in full; the number of queries does not grow with them. Deleted objects are left out."""
    model = corrections.model
    links = [field.name for field in model._meta.concrete_fields if field.is_relation]
    rows = model._base_manager.using(using)
    # Without names it would follow every link.
    objects = (rows.select_related(*links) if links else rows).in_bulk({pk for pk, _ in pairs})
    origins = origins_of_many(list(objects.values()))
    wanted = [corrections.pins[pair] for pair in pairs if pair in corrections.pins]
    pins = Pin.objects.using(using).select_related("actor").in_bulk(wanted) if wanted else {}
    spec = spec_for(model)
    return [
        _correction(spec, objects[pk], field, origins[pk].get(field), pins.get(corrections.pins.get((pk, field))))
        for pk, field in pairs
        if pk in objects
    ]


def stream_corrections(corrections: Corrections, *, using: str = "default") -> Iterator[Correction]:
    """Yield all corrections in full, a part at a time."""
    for start in range(0, len(corrections.pairs), _CHUNK):
        yield from read_corrections(corrections, corrections.pairs[start : start + _CHUNK], using=using)


def upstream_of(obj: models.Model, field: str) -> tuple[bool, Any]:
    """Return whether upstream's last value of a field is known, and that value as the field would hold it."""
    try:
        spec = spec_for(type(obj))
    except LookupError:
        return False, None
    values = getattr(obj, spec.upstream) if spec.upstream else None
    if not values or field not in values or field not in merged_fields(spec):
        return False, None
    refers = spec.referred.get(field)
    if refers is not None:
        # Upstream has a code, which stands for the object that has it now.
        return True, refers.model._base_manager.filter(**{refers.by: values[field]}).first()
    return True, field_of(type(obj), field).to_python(values[field])


def _correction(spec: ImportSpec, obj: models.Model, name: str, origin: Origin | None, pin: Pin | None) -> Correction:
    known, upstream = upstream_of(obj, name)
    return Correction(
        obj=obj,
        stable_key=getattr(obj, spec.stable_key) if spec.stable_key else None,
        field=field_of(type(obj), name),
        header=next((column.header for column in spec.columns if column.field == name), name),
        value=getattr(obj, name),
        upstream=upstream,
        known=known,
        origin=origin,
        pin=pin,
    )
