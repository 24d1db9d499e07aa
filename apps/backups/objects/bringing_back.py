"""Bringing back what hung on an object: what is gone, and links that are empty; what is there is not changed."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from django.db import models
from django.utils import timezone

from apps.backups.errors import OtherSchema
from apps.backups.objects.catalogue import ObjectBackup
from apps.backups.objects.document import find_by_codes
from apps.backups.objects.hanging import told_by
from apps.backups.objects.restoring import Fit, fit_backup, restore_from, source_of
from apps.changesets.context import changeset
from apps.changesets.errors import NothingToRestore
from apps.changesets.going_back import living, recreate
from apps.changesets.locking import lock_tracked_tables
from apps.changesets.models import Changeset, Kind
from apps.changesets.tracking import Tracked, tracked_by_name

_CHUNK = 500


@dataclass(frozen=True)
class HangingPlan:
    """What is gone of what belonged to the object, and which links are empty now; `complaint` as for the object.

    `links` has the keys of the objects to link again, by model label and field, and then by what they pointed to.
    """

    gone: tuple[ObjectBackup, ...]
    links: dict[tuple[str, str], dict[Any, list[Any]]]
    complaint: str

    @property
    def lines(self) -> list[tuple[str, int, str]]:
        """What comes back and what is linked again: the kind of change, how many, and in words."""
        came: dict[str, int] = defaultdict(int)
        for each in self.gone:
            came[each.model] += 1
        lines = [
            ("created", number, _words(label, number, "comes back", "come back")) for label, number in came.items()
        ]
        for (label, field), targets in self.links.items():
            number = sum(map(len, targets.values()))
            words = _words(label, number, f"gets its {field} back", f"get their {field} back")
            lines.append(("changed", number, words))
        return lines


def restore_with_hanging(
    tracked: Tracked,
    backup: ObjectBackup,
    fit: Fit,
    *,
    fields: Collection[str],
    actor: Any,
    reason: str,
    seen: int | None,
    rest: bool = False,
) -> Changeset:
    """Restore the fields of the object and what hung on it, as one changeset; raises what `restore_from` does."""
    with changeset(kind=Kind.RESTORE, actor=actor, reason=reason, source=source_of(backup)) as opened:
        lock_tracked_tables("default")
        plan = plan_hanging(backup)
        if plan.complaint and not rest:
            raise OtherSchema(plan.complaint)
        if fields or living(tracked, fit.version) is None:
            restore_from(tracked, backup, fit, fields=fields, actor=actor, reason=reason, seen=seen, rest=rest)
        elif not plan.lines:
            raise NothingToRestore("Nothing of what hung on it is gone, and no field is ticked: nothing was restored.")
        _restore(plan)
    return opened


def plan_hanging(backup: ObjectBackup, *, using: str = "default") -> HangingPlan:
    """Return what restoring what hung on the object would bring back."""
    records, groups, unknown = _known(backup)
    gone, moved = _gone(backup, records, using)
    complaint = (
        f"The backup has {', '.join(unknown)} hanging on it, which the tables no longer have." if unknown else ""
    )
    if gone and not complaint:
        complaint = fit_backup(tracked_by_name(gone[0].model), gone[0], using=using).complaint
    links: dict[tuple[str, str], dict[Any, list[Any]]] = {}
    empty: dict[tuple[str, str], dict[tuple, Any]] = {}
    for group in groups:
        at = (group["model"], group["field"])
        if at not in empty:
            empty[at] = _with_empty_link(*at, using)
        keys = [empty[at][mark] for mark in map(_mark, group["objects"]) if mark in empty[at]]
        if keys:
            target = moved.get((group["to_model"], group["to"]), group["to"])
            links.setdefault(at, {}).setdefault(target, []).extend(keys)
    return HangingPlan(tuple(gone), links, complaint)


def _known(backup: ObjectBackup) -> tuple[list[dict], list[dict], list[str]]:
    """Return what belonged to the object, and the groups of what pointed to it; and what no table knows any more."""
    records, groups = backup.hanging.get("belonging", []), backup.hanging.get("pointing", [])
    unknown = {each["model"] for each in [*records, *groups] if tracked_by_name(each["model"]) is None}
    for group in groups:
        tracked = tracked_by_name(group["model"])
        if tracked is not None and group["field"] not in {field.name for field in tracked.fields_by_column.values()}:
            unknown.add(f"{group['model']}.{group['field']}")
    return (
        [each for each in records if each["model"] not in unknown],
        [each for each in groups if not unknown & {each["model"], f"{each['model']}.{each['field']}"}],
        sorted(unknown),
    )


def _mark(told: Collection[Any]) -> tuple:
    """Return what tells an object among others of its model: what stays when its key changes, or else the key."""
    key, *stable = told
    return (key,) if not stable or stable[0] is None else (None, stable[0])


def _restore(plan: HangingPlan, *, using: str = "default") -> None:
    by_model: dict[str, list[Any]] = defaultdict(list)
    for each in plan.gone:
        by_model[each.model].append(fit_backup(tracked_by_name(each.model), each, using=using).version)
    for label, versions in by_model.items():
        recreate(tracked_by_name(label), versions, using=using)
    for (label, name), targets in plan.links.items():
        model = tracked_by_name(label).model
        field = model._meta.get_field(name)
        there = set(field.related_model._base_manager.using(using).values_list("pk", flat=True))
        stamps = {f.name: timezone.now() for f in model._meta.concrete_fields if getattr(f, "auto_now", False)}
        for target, keys in targets.items():
            for start in range(0, len(keys) if target in there else 0, _CHUNK):
                rows = model._base_manager.using(using).filter(pk__in=keys[start : start + _CHUNK])
                rows.update(**{field.attname: target}, **stamps)


def _with_empty_link(label: str, field: str, using: str) -> dict[tuple, Any]:
    """Return the key of each object without this link, by its mark."""
    tracked = tracked_by_name(label)
    rows = tracked.model._base_manager.using(using).filter(**{f"{field}__isnull": True}).order_by()
    return {_mark(told): told[0] for told in rows.values_list(*told_by(tracked))}


def _gone(
    backup: ObjectBackup, records: list[dict], using: str
) -> tuple[list[ObjectBackup], dict[tuple[str, Any], Any]]:
    """Return what belonged to the object and is gone; and the new keys of what was made again, by model and old key."""
    there = {
        label: set(tracked_by_name(label).model._base_manager.using(using).values_list("pk", flat=True))
        for label in {record["model"] for record in records}
    }
    gone, moved = [], {}
    for record in records:
        label, key = record["model"], record["key"]
        if key in there[label]:
            continue
        again = _made_again(record, using)
        if again is None:
            gone.append(
                replace(
                    backup,
                    model=label,
                    key=key,
                    object_name=record["name"],
                    fields=record["fields"],
                    links=record["links"],
                    hanging={},
                )
            )
        else:
            moved[label, key] = again.pk
    return gone, moved


def _made_again(record: dict[str, Any], using: str) -> models.Model | None:
    return find_by_codes(tracked_by_name(record["model"]).model, record.get("codes", {}), using=using)


def _words(label: str, number: int, one: str, many: str) -> str:
    meta = tracked_by_name(label).model._meta
    return f"{meta.verbose_name} {one}" if number == 1 else f"{meta.verbose_name_plural} {many}"
