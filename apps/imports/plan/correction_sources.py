"""Whose values corrections are: those of a file that somebody took over, by the title that was given to it."""

from collections.abc import Iterator
from typing import Any

from django.db import models
from django.db.models import Q

from apps.changesets.fields import field_of
from apps.changesets.history.cache import remembered, state_of_tables
from apps.changesets.models import Changeset
from apps.changesets.tracking import Tracked, tracked_for
from apps.imports.plan.corrections import Corrections

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
