"""Why an object is blocked: what refers to it, which target is gone, which row has its unique value; and since when."""

from collections.abc import Collection, Sequence
from typing import Any

from apps.changesets.revert import blocking
from apps.changesets.revert.reasons import Row, chains_of, last_to_change
from apps.changesets.revert.verdicts import Bucket, Cause, Verdict
from apps.changesets.revert.working import copy_of
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_for

WORDS = {
    blocking.REFERENCED: "other rows still refer to it",
    blocking.MISSING_TARGET: "it would point to something that is gone",
    blocking.UNIQUE_CLASH: "another row has its unique value now",
}
NAMED = 3


def explain_blocked(
    sql: Sql, tracked: Tracked, rows: Sequence[Row], touched: list[Tracked], *, chosen: Collection[int]
) -> list[Verdict]:
    """Return the verdicts of blocked objects, each with the first objects that stand in the way."""
    referred = [row.pk for row in rows if row.code == blocking.REFERENCED]
    referring = _referring(sql, tracked, referred, touched, chosen) if referred else {}
    verdicts = []
    for row in rows:
        causes, more = referring.get(row.pk, ([], 0))
        if row.code != blocking.REFERENCED:
            causes = _named_cause(sql, tracked, row, chosen)
        verdicts.append(
            Verdict(
                tracked.label,
                row.pk,
                row.label,
                Bucket.BLOCKED,
                WORDS.get(row.code, ""),
                since=causes[0].since if causes else None,
                causes=tuple(causes),
                more=more,
            )
        )
    return verdicts


def _referring(
    sql: Sql, tracked: Tracked, keys: list[str], touched: list[Tracked], chosen: Collection[int]
) -> dict[str, tuple[list[Cause], int]]:
    """Return for each key the first objects that would still point to it, and the number of the others."""
    causes: dict[str, list[Cause]] = {key: [] for key in keys}
    totals = dict.fromkeys(keys, 0)
    for table, column, referring in blocking.referring_columns(tracked):
        rows = _pointing(sql, table, column, referring, keys, tracked, touched)
        totals |= {key: totals[key] + number for key, number in {row[0]: row[3] for row in rows}.items()}
        chains = chains_of(referring, [row[1] for row in rows], using=sql.using) if referring else {}
        for key, pk, label, _number in rows:
            label_of_model = referring.label if referring else ""
            since = None
            if referring:
                attname = referring.fields_by_column[column].attname
                since = _since(chains.get(pk, []), [attname], chosen)
            causes[key].append(Cause(label_of_model, pk, label, "refers to it", since))
    return {key: (causes[key][:NAMED], totals[key] - len(causes[key][:NAMED])) for key in keys}


def _pointing(
    sql: Sql,
    table: str,
    column: str,
    referring: Tracked | None,
    keys: list[str],
    tracked: Tracked,
    touched: list[Tracked],
) -> list[tuple[str, str, str, int]]:
    """Return (key pointed to, own key, own name, how many point there) of the first rows that would point there."""
    prepare = tracked.model._meta.pk.get_db_prep_value
    values = [prepare(tracked.model._meta.pk.to_python(key), sql.connection) for key in keys]
    own = referring.pk if referring else column
    names = sql.with_names(
        table=table, fk=column, pk=own, name="name" if referring and "name" in referring.columns else own
    ).with_parts(marks=sql.marks(keys))
    # The live rows that point there ...
    pointing = "SELECT l.{fk} AS target, l.{pk} AS own, l.{name} AS label FROM {table} l WHERE l.{fk} IN ({marks})"
    if referring in touched:
        names = names.with_parts(copy=copy_of(sql, referring).fill("{working}"))
        # ... unless they are in a working copy, and those that are in it.
        pointing += """
            AND NOT EXISTS (SELECT 1 FROM {copy} c WHERE c.w_live = l.{pk})
            UNION ALL
            SELECT x.{fk}, coalesce(x.w_live, x.{pk}), x.{name} FROM {copy} x WHERE x.w_present AND x.{fk} IN ({marks})
        """
        values *= 2
    # The first of each target, with the number of all.
    rows = sql.rows(
        """
        SELECT target, own, label, number FROM (
            SELECT target, own, label, count(*) OVER (PARTITION BY target) AS number,
                   row_number() OVER (PARTITION BY target ORDER BY own) AS place
            FROM ({pointing}) f
        ) g WHERE place <= {named} ORDER BY target, place
        """,
        values,
        pointing=names.fill(pointing),
        named=str(NAMED),
    )
    text = tracked.model._meta.pk.to_python
    own_text = referring.model._meta.pk.to_python if referring else str
    return [(str(text(target)), str(own_text(own)), str(label), number) for target, own, label, number in rows]


def _named_cause(sql: Sql, tracked: Tracked, row: Row, chosen: Collection[int]) -> list[Cause]:
    """Return the target that is gone, or the row that has the unique value."""
    columns, _, key = (row.cause or "").partition("|")
    if not key:
        return []
    fields = [tracked.fields_by_column[column] for column in columns.split(",")]
    if row.code == blocking.UNIQUE_CLASH:
        attnames = [field.attname for field in fields]
        words = f"has its {' and '.join(str(field.verbose_name) for field in fields)}"
        return [_cause(sql, tracked, key, words, attnames, chosen)]
    try:
        target = tracked_for(fields[0].related_model)
    except LookupError:
        return [Cause("", key, f"{fields[0].verbose_name} {key}", "is gone")]
    return [_cause(sql, target, key, "is gone", [], chosen)]


def _cause(sql: Sql, tracked: Tracked, key: str, words: str, attnames: Sequence[str], chosen: Collection[int]) -> Cause:
    key = str(tracked.model._meta.pk.to_python(key))
    chain = chains_of(tracked, [key], using=sql.using).get(key, [])
    label = str(chain[-1].instance) if chain else f"{tracked.name} {key}"
    if attnames:
        since = _since(chain, attnames, chosen)
    else:
        since = next((one.changeset_id for one in reversed(chain) if one.history_type == "-"), None)
    return Cause(tracked.label, key, label, words, since)


def _since(chain: Sequence[Any], attnames: Sequence[str], chosen: Collection[int]) -> int | None:
    last = last_to_change(chain, attnames, chosen=chosen)
    return None if last is None else last.changeset_id
