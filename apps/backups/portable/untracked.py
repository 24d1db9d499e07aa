"""The untracked columns, which no history row holds: `updated_at` after a save that changed nothing."""

from collections.abc import Iterator
from typing import Any

from django.db.models import F, OuterRef, Q, Subquery

from apps.backups.portable.loading import insert
from apps.backups.portable.values import taker_for
from apps.backups.portable.writing import ROWS_AT_ONCE, encode
from apps.changesets.fields import column_of, field_of
from apps.changesets.recording.renaming import former_names
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_by_label, tracked_models

_TEMPORARY = "touched_rows"


def touched_lines(using: str) -> Iterator[bytes]:
    """Yield a line for each live row whose untracked columns differ from its newest history row."""
    for tracked in tracked_models():
        names = _untracked(tracked)
        if not names:
            continue
        pk = tracked.model._meta.pk.attname
        newest = tracked.history_model._base_manager.using(using).filter(**{pk: OuterRef(pk)}).order_by("-history_id")
        recorded = {f"recorded_{name}": Subquery(newest.values(name)[:1]) for name in names}
        same = Q(**{f"recorded_{name}": F(name) for name in names})
        rows = tracked.model._base_manager.using(using).annotate(**recorded).exclude(same)
        for key, *values in rows.order_by(pk).values_list(pk, *names).iterator(chunk_size=ROWS_AT_ONCE):
            fields = dict(zip(names, values, strict=True))
            yield f"{encode({'touched': tracked.label, 'pk': key, 'fields': fields})}\n".encode()


def write_touched(using: str, label: str, rows: list[dict[str, Any]]) -> None:
    """Set the untracked columns of live rows, all in one statement."""
    tracked = tracked_by_label(label)
    sql, connection = Sql(using), Sql(using).connection
    former = former_names(tracked.model)
    by_present = [{former.get(name, name): value for name, value in row["fields"].items()} for row in rows]
    # A column that is newer than the rows has its default.
    names = [name for name in _untracked(tracked) if name in by_present[0]]
    fields = [tracked.model._meta.pk, *(field_of(tracked.model, name) for name in names)]
    takes = [taker_for(field, connection) for field in fields]
    columns = [column_of(field) for field in fields]
    types = [sql.key_type(tracked), *(field.db_type(connection) for field in fields[1:])]
    sql.fresh_temp(_TEMPORARY, ", ".join(f"{sql.quote(c)} {t}" for c, t in zip(columns, types, strict=True)))
    values = [[row["pk"], *(now[f.name] for f in fields[1:])] for row, now in zip(rows, by_present, strict=True)]
    insert(using, _TEMPORARY, columns, [[take(v) for take, v in zip(takes, row, strict=True)] for row in values])
    # The live rows take the values of the temporary table.
    sql.with_model(tracked).run(
        "UPDATE {live} SET {taken} FROM {touched} t WHERE t.{pk} = {live}.{pk}",
        taken=sql.taken(columns[1:], of="t"),
        touched=sql.temp(_TEMPORARY),
    )
    sql.drop_temps([_TEMPORARY])


def _untracked(tracked: Tracked) -> list[str]:
    fields = tracked.fields_by_column
    return [fields[column].name for column in tracked.columns if column in tracked.untracked]
