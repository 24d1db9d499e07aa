"""Which changesets touched an object that somebody follows, or what is linked to it: the airports of a country."""

from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from apps.changesets.fields import AnyLink, target_of
from apps.changesets.history.stable_key import STABLE
from apps.changesets.models import Changeset
from apps.changesets.rights import Sees
from apps.changesets.sql import Sql
from apps.changesets.tracking import Tracked, tracked_by_label, tracked_models


def touched_object(changesets: Collection[Changeset], model: str, key: str, *, sees: Sees) -> set[int]:
    """Return the numbers of those changesets that touched the object of a key, or what is or was linked to it.

    Only models that may be seen count. An object is followed under all the primary keys that it had.
    """
    try:
        tracked = tracked_by_label(model)
    except LookupError:
        return set()
    if not sees(tracked.model):
        return set()
    ours = rows_of_object(tracked, key)
    numbers = [changeset.pk for changeset in changesets]
    found = _numbers(ours.filter(changeset_id__in=numbers))
    keys = set(ours.values_list(tracked.model._meta.pk.attname, flat=True).order_by().distinct())
    for other in filter(lambda other: sees(other.model), tracked_models()):
        rows = other.history_model._base_manager.filter(changeset_id__in=numbers)
        for link in (link for link in other.links if target_of(link) is tracked.model):
            found |= _numbers(rows.filter(**{f"{link.attname}__in": keys}))
            moved = [one.pk for one in changesets if one.pk not in found and _may_have_moved(one, other, link)]
            found |= _moved_away(other, link, keys, moved)
    return found


def touched_any(changesets: Collection[Changeset], rows: QuerySet[Any]) -> set[int]:
    """Return the numbers of those changesets that touched any of these live rows of a tracked model."""
    tracked = tracked_by_label(rows.model._meta.label_lower)
    pk = tracked.model._meta.pk.attname
    history = tracked.history_model._base_manager.filter(changeset_id__in=[changeset.pk for changeset in changesets])
    return _numbers(history.filter(**{f"{pk}__in": rows.order_by().values("pk")}))


def rows_of_object(tracked: Tracked, key: str) -> QuerySet[Any]:
    """Return the history rows of the object of a key (`id:3486`, `pk:KDEN`), under all the primary keys it had."""
    kind, _, value = key.partition(":")
    field = tracked.stable_field if f"{kind}:" == STABLE else tracked.model._meta.pk
    rows = tracked.history_model._base_manager.all()
    if field is None:
        return rows.none()
    try:
        wanted = field.to_python(value)
        field.run_validators(wanted)
    except ValidationError:
        return rows.none()
    return rows.filter(**{field.attname: wanted})


def _may_have_moved(changeset: Changeset, tracked: Tracked, link: AnyLink) -> bool:
    """Whether the link changed in a changeset, as its counts tell; direct writes, which may still grow, have none."""
    return changeset.field_counts is None or link.name in changeset.field_counts.get(tracked.label, {})


def _moved_away(tracked: Tracked, link: AnyLink, keys: Collection[Any], numbers: Collection[int]) -> set[int]:
    """Return the changesets of these after which something is not linked to any of the keys any more."""
    if not keys or not numbers:
        return set()
    sql = Sql().with_model(tracked)
    # The row before each changed one was linked to them.
    return set(
        sql.firsts(
            """
            SELECT DISTINCT a.changeset_id FROM {history} a JOIN {history} b ON b.history_id = (
                SELECT max(p.history_id) FROM {history} p WHERE p.{pk} = a.{pk} AND p.history_id < a.history_id
            )
            WHERE a.changeset_id IN ({numbers}) AND a.history_type = '~' AND b.{link} IN ({keys})
            """,
            [*numbers, *keys],
            numbers=sql.marks(numbers),
            keys=sql.marks(keys),
            link=sql.quote(link.column),
        )
    )


def _numbers(rows: QuerySet[Any]) -> set[int]:
    return set(rows.order_by().values_list("changeset_id", flat=True).distinct())
