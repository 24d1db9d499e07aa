"""Why an object is blocked in a revert or a restore: what refers to it, what is missing, who has its unique value."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import Q

from apps.changesets.fields import AnyLink, target_of
from apps.changesets.history.recycle_bin import deleted_objects
from apps.changesets.revert import blocking
from apps.changesets.revert.matching import copy_of
from apps.changesets.revert.reasons import Row, chains_of, last_to_change
from apps.changesets.revert.verdicts import Bucket, Cause, Verdict
from apps.changesets.rights import Sees, all_seen
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_for

WORDS = {
    blocking.REFERENCED: "other rows still refer to it",
    blocking.MISSING_TARGET: "it would point to something that is gone",
    blocking.UNIQUE_CLASH: "another row has its unique value now",
}
NAMED = 3


class Referring(NamedTuple):
    """The first objects that refer to one that would be deleted, and the number of the others."""

    first: Sequence[Cause]
    further: int


class Pointing(NamedTuple):
    """A row that would point to what is deleted: to which key, its own key and name, and how many point there."""

    target: str
    own: str
    label: str
    number: int


def explain_blocked(
    tracked: Tracked, rows: Sequence[Row], referring: Mapping[str, Referring], *, chosen: Collection[int]
) -> list[Verdict]:
    """Return the verdicts of blocked objects, each with the first objects that stand in the way.

    `referring` has what `referring_to` found of each key.
    """
    verdicts = []
    named = _named_causes(tracked, [row for row in rows if row.code != blocking.REFERENCED], chosen)
    for row in rows:
        causes, further = referring.get(row.pk, ((), 0))
        causes = named.get(row.pk, causes)
        verdicts.append(
            Verdict(
                tracked.label,
                row.pk,
                row.label,
                Bucket.BLOCKED,
                WORDS.get(row.code) or f"blocked by {row.cause}",
                since=causes[0].since if causes else None,
                causes=tuple(causes),
                more=further,
            )
        )
    return verdicts


def referring_to(
    sql: Sql, tracked: Tracked, rows: Sequence[Row], touched: list[Tracked], *, chosen: Collection[int]
) -> dict[str, Referring]:
    """Return for each key that is blocked by them the first objects that refer to it, and the number of the others."""
    keys = [row.pk for row in rows if row.code == blocking.REFERENCED]
    if not keys:
        return {}
    causes: dict[str, list[Cause]] = {key: [] for key in keys}
    totals = dict.fromkeys(keys, 0)
    for table, column, referring in blocking.referring_columns(tracked):
        pointing = _pointing(sql, table, column, referring, keys, tracked, touched)
        totals |= {key: totals[key] + number for key, number in {row.target: row.number for row in pointing}.items()}
        chains = chains_of(referring, [row.own for row in pointing]) if referring else {}
        for key, pk, label, _number in pointing:
            label_of_model = referring.label if referring else ""
            since = None
            if referring:
                attname = referring.fields_by_column[column].attname
                since = _since(chains.get(pk, []), [attname], chosen)
            causes[key].append(Cause(label_of_model, pk, label, "refers to it", since))
    return {key: Referring(causes[key][:NAMED], totals[key] - len(causes[key][:NAMED])) for key in keys}


def _pointing(
    sql: Sql,
    table: str,
    column: str,
    referring: Tracked | None,
    keys: list[str],
    tracked: Tracked,
    touched: list[Tracked],
) -> list[Pointing]:
    """Return the first rows that would point there."""
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
    return [Pointing(str(text(target)), str(own_text(own)), str(label), number) for target, own, label, number in rows]


def _named_causes(tracked: Tracked, rows: Sequence[Row], chosen: Collection[int]) -> dict[str, list[Cause]]:
    """Return for each key the target that is gone, or the row that has the unique value; one query for each model."""
    causes: dict[str, list[Cause]] = {}
    lookups: list[tuple[str, Tracked, str, str, list[str]]] = []
    for row in rows:
        columns, _, key = (row.cause or "").partition("|")
        causes[row.pk] = []
        if not key or row.code == blocking.RULE:
            continue
        fields = [tracked.fields_by_column[column] for column in columns.split(",")]
        if row.code == blocking.UNIQUE_CLASH:
            words = f"has its {' and '.join(str(field.verbose_name) for field in fields)}"
            lookups.append((row.pk, tracked, key, words, [field.attname for field in fields]))
            continue
        try:
            lookups.append((row.pk, tracked_for(target_of(fields[0])), key, "is gone", []))
        except LookupError:
            causes[row.pk] = [Cause("", key, f"{fields[0].verbose_name} {key}", "is gone")]
    for target in {of.label: of for _pk, of, *_rest in lookups}.values():
        of_target = [(pk, _text(of, key), words, names) for pk, of, key, words, names in lookups if of is target]
        chains = chains_of(target, [key for _pk, key, *_rest in of_target])
        causes |= {
            pk: [_cause(target, key, chains.get(key, []), words, names, chosen)] for pk, key, words, names in of_target
        }
    return causes


def _text(tracked: Tracked, key: str) -> str:
    return str(tracked.model._meta.pk.to_python(key))


def _cause(
    tracked: Tracked, key: str, chain: Sequence[Any], words: str, attnames: Sequence[str], chosen: Collection[int]
) -> Cause:
    label = str(chain[-1].instance) if chain else f"{tracked.name} {key}"
    if attnames:
        since = _since(chain, attnames, chosen)
    else:
        since = next((row.changeset_id for row in reversed(chain) if row.history_type == "-"), None)
    return Cause(tracked.label, key, label, words, since)


def _since(chain: Sequence[Any], attnames: Sequence[str], chosen: Collection[int]) -> int | None:
    last = last_to_change(chain, attnames, chosen=chosen)
    return None if last is None else last.changeset_id


@dataclass(frozen=True)
class Obstacle:
    """One reason in words; `model` and `row` are the deletion in the recycle bin that would have to come back too."""

    why: str
    model: str = ""
    row: int | None = None


def obstacles_of(
    sql: Sql, tracked: Tracked, rows: Sequence[Any], *, sees: Sees = all_seen
) -> list[tuple[Obstacle, ...]]:
    """Return for each row (of history, or an object) that is blocked what blocks it; never nothing.

    The queries grow with the links and unique sets of the model, and with the rows for the latter.
    """
    missing = [_missing_targets(field, rows, sql.using, sees) for field in tracked.links]
    copy = copy_of(sql, tracked)
    ruled = {_text(tracked, k): why for k, why in copy.rows("SELECT {pk}, w_cause FROM {working} WHERE w_why = 'rule'")}
    obstacles = []
    for row in rows:
        gone = [of[key] for field, of in missing if (key := getattr(row, field.attname)) in of]
        sets = [*((columns, Q()) for columns in tracked.unique_sets), *tracked.conditional_sets]
        taken = [why for columns, condition in sets for why in _taken(sql, tracked, columns, condition, row)]
        rule = ruled.get(str(getattr(row, tracked.model._meta.pk.attname)))
        broken = [Obstacle(f"blocked by {rule}")] if rule else []
        found = (*gone, *taken, *broken)
        obstacles.append(found or (Obstacle("another object that is to come back has its unique value"),))
    return obstacles


def _missing_targets(
    field: AnyLink, rows: Sequence[Any], using: str, sees: Sees
) -> tuple[AnyLink, dict[Any, Obstacle]]:
    """Return an obstacle for each key that points to nothing, with the deletion of its target where that is known."""
    keys = {getattr(row, field.attname) for row in rows} - {None}
    target = field.target_field.attname
    living = target_of(field)._base_manager.using(using).filter(**{f"{target}__in": keys})
    gone = keys - set(living.values_list(target, flat=True))
    obstacles = {key: Obstacle(f"its {field.verbose_name} (#{key}) is gone") for key in gone}
    try:
        tracked = tracked_for(target_of(field))
    except LookupError:
        return field, obstacles
    for row in deleted_objects(tracked, using=using).filter(**{f"{target}__in": gone}) if gone else ():
        name = row.instance if sees(tracked.model) else f"(#{getattr(row, target)})"
        why = f"its {field.verbose_name} {name} is deleted, in {row.changeset}"
        obstacles[getattr(row, target)] = Obstacle(why, tracked.label, row.history_id)
    return field, obstacles


def _taken(sql: Sql, tracked: Tracked, columns: tuple[str, ...], condition: Q, row: Any) -> list[Obstacle]:
    """Return who has a unique value of the row; the object itself, which keeps its stable key, is no obstacle.

    Where the value is unique under a condition only, both meet it.
    """
    fields = [tracked.fields_by_column[column] for column in columns]
    values = {field.attname: getattr(row, field.attname) for field in fields}
    if None in values.values() or not _meets(tracked, condition, row, sql.using):
        return []
    own = getattr(row, "own_key", None)
    holders = tracked.model._base_manager.using(sql.using).filter(condition, **values)
    holder = (holders.exclude(pk=own) if own is not None else holders).first()
    if holder is None:
        return []
    labels = ", ".join(str(field.verbose_name) for field in fields if not field.is_relation)
    texts = ", ".join(str(values[field.attname]) for field in fields if not field.is_relation)
    return [Obstacle(f"{labels} {texts} is that of {holder} now")]


def _meets(tracked: Tracked, condition: Q, row: Any, using: str) -> bool:
    against = {field.name: getattr(row, field.attname) for field in tracked.fields_by_column.values()}
    return not condition or condition.check(against, using=using)
