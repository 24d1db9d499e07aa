"""What stands in the way of an object that should come back, named one by one: for the few rows that are blocked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Q

from apps.changesets.fields import AnyLink, target_of
from apps.changesets.history.recycle_bin import deleted_objects
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_for


@dataclass(frozen=True)
class Obstacle:
    """One reason in words; `model` and `row` are the deletion in the recycle bin that would have to come back too."""

    why: str
    model: str = ""
    row: int | None = None


def obstacles_of(sql: Sql, tracked: Tracked, rows: Sequence[Any]) -> list[tuple[Obstacle, ...]]:
    """Return for each row (of history, or an object) that is blocked what blocks it; never nothing.

    The queries grow with the links and unique sets of the model, and with the rows for the latter.
    """
    missing = [_missing_targets(field, rows, sql.using) for field in _links(tracked)]
    obstacles = []
    for row in rows:
        gone = [of[key] for field, of in missing if (key := getattr(row, field.attname)) in of]
        sets = [*((columns, Q()) for columns in tracked.unique_sets), *tracked.conditional_sets]
        taken = [why for columns, condition in sets for why in _taken(sql, tracked, columns, condition, row)]
        obstacles.append((*gone, *taken) or (Obstacle("another object that is to come back has its unique value"),))
    return obstacles


def _links(tracked: Tracked) -> list[AnyLink]:
    return [field for field in tracked.model._meta.concrete_fields if isinstance(field, models.ForeignKey)]


def _missing_targets(field: AnyLink, rows: Sequence[Any], using: str) -> tuple[AnyLink, dict[Any, Obstacle]]:
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
        why = f"its {field.verbose_name} {row.instance} is deleted, in {row.changeset}"
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
