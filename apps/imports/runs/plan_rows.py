"""The rows of a plan as they are stored: what happens to each object, with old and new values.

Values that must come back exactly (floats above all) are stored as JSON that Python writes and reads.
"""

import json
from collections.abc import Iterator
from functools import cache
from itertools import chain
from typing import Any

from django.db import models

from apps.changesets.history.maps import distance_km
from apps.changesets.sql import Row
from apps.changesets.tracking import tracked_for
from apps.imports.models import FAR_KM, RowKind
from apps.imports.plan.kept import kept_by_line
from apps.imports.plan.missing import superseded_pks
from apps.imports.staging.tables import Staging

_PAGE = 5000


def all_rows(staging: Staging) -> list[Iterator[dict[str, Any]]]:
    """Return the rows of a plan, kind by kind, but for those whose object stays as it is."""
    kinds = (_changed, _created, _missing, _refused, _staying_deleted)
    return [rows_of(staging) for rows_of in kinds]


def _pages(staging: Staging, text: str, *, by: str, **parts: str) -> Iterator[Row]:
    """Yield the rows of a query by its first column, a chunk at a time."""
    return chain.from_iterable(staging.pages(text, by=by, size=_PAGE, **parts))


def _changed(staging: Staging) -> Iterator[dict[str, Any]]:
    values, stored, wants = staging.values, staging.stored, [link.field for link in staging.links]
    kept, staged = _kept_values(staging), _staged_of_kept(staging)
    # Objects that change: their final values, what upstream says now, which links are made, and the values they have.
    rows = _pages(
        staging,
        """
        SELECT x.line, x.old_pk, x.{upstream}, x.kept, x.history_id, l.{label}, {values}{wants}{live_values}
        FROM {changed} x JOIN {live} l ON l.{pk} = x.old_pk WHERE {after} ORDER BY x.line LIMIT {limit}
        """,
        by="x.line",
        label=staging.column(staging.spec.label),
        values=staging.names(values, of="x"),
        wants="".join(f", x.{staging.want(field)}" for field in wants),
        live_values="".join(f", l.{staging.column(field)}" for field in stored),
    )
    shown, booleans, place = staging.shown, _booleans(staging), place_fields(staging.spec.model)
    for line, old_pk, upstream, is_kept, history_id, label, *columns in rows:
        final = _python(dict(zip(values, columns, strict=False)), booleans)
        links = dict(zip(wants, map(bool, columns[len(values) :]), strict=False))
        live = _python(dict(zip(stored, columns[len(values) + len(wants) :], strict=True)), booleans)
        changes = {field: [live[field], final[field]] for field in shown if live[field] != final[field]}
        moved_km = moved(place, changes, live)
        yield {
            "kind": RowKind.CHANGED,
            "line": line,
            "old_pk": staging.pk_in_words(old_pk),
            "new_pk": final.get(staging.spec.pk),
            "renamed": not staging.spec.automatic and final.get(staging.spec.pk) != old_pk,
            "kept": bool(is_kept),
            "label": final.get(staging.spec.label) or label,
            "changes": changes,
            "kept_values": kept.get(line),
            "moved_km": moved_km,
            "slight": is_slight(place, changes, moved_km) and not is_kept and not any(links.values()),
            "payload": _payload(_beside_upstream(final, upstream), upstream, links, staged.get(line)),
            "history_id": history_id,
        }


def _created(staging: Staging) -> Iterator[dict[str, Any]]:
    wants = [link.field for link in staging.links]
    # The values of upstream are in the payload already.
    in_upstream = set() if staging.layout.partial else set(staging.layout.merged)
    values = [field for field in staging.layout.staged if field not in in_upstream]
    shown = [field for field in (staging.spec.pk, staging.spec.label) if field in staging.layout.fields]
    deleted_here = set(staging.firsts("SELECT line FROM {deleted_here}"))
    # New objects, as the file says they will be.
    rows = _pages(
        staging,
        """
        SELECT w.line, w.{upstream}, {values}{wants}{shown} FROM {created} w JOIN {staged} s ON s.line = w.line
        WHERE {after} ORDER BY w.line LIMIT {limit}
        """,
        by="w.line",
        values=staging.names(values, of="s"),
        shown="".join(f", s.{staging.quote(field)}" for field in shown),
        wants="".join(f", w.{staging.want(field)}" for field in wants),
    )
    booleans = _booleans(staging)
    for line, upstream, *columns in rows:
        final = _python(dict(zip(values, columns, strict=False)), booleans)
        links = dict(zip(wants, map(bool, columns[len(values) :]), strict=False))
        names = dict(zip(shown, columns[len(values) + len(wants) :], strict=True))
        yield {
            "kind": RowKind.NEW,
            "line": line,
            "new_pk": names.get(staging.spec.pk),
            "label": names.get(staging.spec.label),
            "deleted_here": line in deleted_here,
            "payload": _payload(final, upstream, links),
        }


def _missing(staging: Staging) -> Iterator[dict[str, Any]]:
    superseded = set()
    if staging.has_rows("imports_missing"):
        superseded = set(staging.firsts("{keys}", keys=superseded_pks(staging)))
    # Live objects that the file lacks.
    rows = _pages(
        staging,
        """
        SELECT m.old_pk, l.{label}, m.history_id FROM {missing} m JOIN {live} l ON l.{pk} = m.old_pk
        WHERE {after} ORDER BY m.old_pk LIMIT {limit}
        """,
        by="m.old_pk",
        label=staging.column(staging.spec.label),
    )
    for old_pk, label, history_id in rows:
        yield {
            "kind": RowKind.MISSING,
            "line": None,
            "old_pk": staging.pk_in_words(old_pk),
            "new_pk": staging.pk_in_words(old_pk),
            "label": label,
            "superseded": old_pk in superseded,
            "history_id": history_id,
        }


def _refused(staging: Staging) -> Iterator[dict[str, Any]]:
    # Rows of the file that break a rule.
    rows = _pages(
        staging,
        """
        SELECT e.line, e.pk_value, d.kept FROM {seen} e LEFT JOIN {disputed} d ON d.line = e.line
        WHERE e.refused AND {after} ORDER BY e.line LIMIT {limit}
        """,
        by="e.line",
    )
    label = staging.spec.label
    for line, pk, kept in rows:
        disputed = json.loads(kept) if kept else {}
        yield {
            "kind": RowKind.REFUSED,
            "line": line,
            "new_pk": pk,
            "label": disputed.get("staged", {}).get(label),
            "disputed": disputed.pop("told", None),
            "payload": json.dumps(disputed) if disputed else None,
        }


def _staying_deleted(staging: Staging) -> Iterator[dict[str, Any]]:
    # Rows about objects that are to stay deleted.
    rows = _pages(
        staging,
        "SELECT d.line, d.pk_value, d.label FROM {stays_deleted} d WHERE {after} ORDER BY d.line LIMIT {limit}",
        by="d.line",
    )
    for line, pk, label in rows:
        yield {
            "kind": RowKind.UNCHANGED,
            "line": line,
            "new_pk": pk,
            "label": label,
            "deleted_here": True,
            "left_alone": "it was deleted here, and is to stay deleted",
        }


def _kept_values(staging: Staging) -> dict[int, dict[str, list[Any]]]:
    """Return base, new and current of each kept value by line; corrections are few beside the rows of a file."""
    kept: dict[int, dict[str, list[Any]]] = {}
    for line, value in kept_by_line(staging):
        kept.setdefault(line, {})[value.field] = [value.base, value.new, value.current]
    return kept


def _staged_of_kept(staging: Staging) -> dict[int, dict[str, Any]]:
    """Return the values of the file in the lines with kept values; those that a person takes are merged again."""
    fields = staging.layout.staged
    rows = staging.rows(
        """
        SELECT s.line, {fields} FROM {changed} x JOIN {staged} s ON s.line = x.line WHERE x.kept > 0
        """,
        fields=staging.names(fields, of="s"),
    )
    booleans = _booleans(staging)
    return {line: _python(dict(zip(fields, values, strict=True)), booleans) for line, *values in rows}


def _beside_upstream(values: dict[str, Any], upstream: Any) -> dict[str, Any]:
    """Return the values that differ from those of upstream."""
    known = (json.loads(upstream) if isinstance(upstream, str) else upstream) or {}
    return {field: value for field, value in values.items() if field not in known or known[field] != value}


def _payload(
    values: dict[str, Any], upstream: Any, links: dict[str, bool], staged: dict[str, Any] | None = None
) -> str:
    """Return the JSON of what applying needs; the upstream values are JSON already on SQLite."""
    text = upstream if isinstance(upstream, str) or upstream is None else json.dumps(upstream)
    staged_part = f', "staged": {json.dumps(staged)}' if staged else ""
    links_text = _flags(*links.items())
    return f'{{"values": {json.dumps(values)}, "links": {links_text}, "upstream": {text or "null"}{staged_part}}}'


@cache
def _flags(*links: tuple[str, bool]) -> str:
    # The same few for all rows of a file.
    return json.dumps(dict(links))


def _booleans(staging: Staging) -> list[str]:
    fields = staging.spec.model._meta.concrete_fields
    return [field.name for field in fields if isinstance(field, models.BooleanField) and field.name in staging.values]


def _python(values: dict[str, Any], booleans: list[str]) -> dict[str, Any]:
    """Make Python's of the database's values, in place: SQLite knows no booleans."""
    for field in booleans:
        if values.get(field) is not None:
            values[field] = bool(values[field])
    return values


Changes = dict[str, list[Any]]


def place_fields(model: type[models.Model]) -> tuple[str, ...]:
    """Return the fields for latitude and longitude; none where the objects are on no map."""
    tracked = tracked_for(model)
    return tuple(tracked.fields_by_column[column].name for column in tracked.point) if tracked.point else ()


def moved(place: tuple[str, ...], changes: Changes, live: dict[str, Any]) -> float | None:
    """Return how many kilometres the changes move an object; None where they do not, or a place is not known."""
    if not any(field in changes for field in place):
        return None
    ends = [changes.get(field, [live.get(field)] * 2) for field in place]
    (old_north, new_north), (old_east, new_east) = ends
    if None in (old_north, new_north, old_east, new_east):
        return None
    return distance_km((old_north, old_east), (new_north, new_east))


def is_slight(place: tuple[str, ...], changes: Changes, moved_km: float | None) -> bool:
    """Whether the changes do nothing but move an object by less than what counts as a move."""
    return moved_km is not None and moved_km < FAR_KM and all(field in place for field in changes)
