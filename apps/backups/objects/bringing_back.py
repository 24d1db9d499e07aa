"""Restoring what hung on an object: deleted objects and empty links; existing values are not changed."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.utils import timezone

from apps.backups.errors import OtherSchema
from apps.backups.objects.catalogue import ObjectBackup
from apps.backups.objects.document import find_all_by_codes, identifying_fields, plain
from apps.backups.objects.restoring import Fit, restore_from, source_of, versions_of
from apps.changesets.context import changeset
from apps.changesets.errors import NothingToRestore
from apps.changesets.fields import column_of, field_of, stored_value, target_of
from apps.changesets.models import Actor, Changeset, Kind
from apps.changesets.processes.locking import alone
from apps.changesets.revert.go_back import living, recreate
from apps.changesets.sql import Sql
from apps.changesets.text import plural
from apps.changesets.tracking import Tracked, tracked_by_label, tracked_by_name, tracked_for

_LINKS = "restored_links"


@dataclass(frozen=True)
class HangingPlan:
    """The deleted objects that belonged to the object, and the links that are empty now; `complaint` as for the object.

    `gone` has versions of the deleted objects by model label. `links` has the keys of the objects to link again, by
    model label and field, and then by the target.
    """

    gone: dict[str, list[Any]]
    links: dict[tuple[str, str], dict[Any, list[Any]]]
    complaint: str

    @property
    def lines(self) -> list[tuple[str, int, str]]:
        """The objects to create and to link again: the kind of change, how many, and in words."""
        came = {label: len(versions) for label, versions in self.gone.items()}
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
    actor: Actor,
    reason: str,
    seen: int | None,
    partly: bool = False,
) -> Changeset:
    """Restore the fields of the object and what hung on it, as one changeset; raises the errors of `restore_from`."""
    with changeset(kind=Kind.RESTORE, actor=actor, reason=reason, source=source_of(backup)) as opened, alone(opened):
        plan = plan_hanging(backup)
        if plan.complaint and not partly:
            raise OtherSchema(plan.complaint)
        if fields or living(tracked, fit.version) is None:
            restore_from(tracked, backup, fit, fields=fields, actor=actor, reason=reason, seen=seen, partly=partly)
        elif not plan.lines:
            raise NothingToRestore("Nothing of what hung on it is gone, and no field is ticked: nothing was restored.")
        _restore(plan)
    return opened


def plan_hanging(backup: ObjectBackup, *, using: str = "default") -> HangingPlan:
    """Return the plan of restoring what hung on the object."""
    records, groups, unknown = _known(backup)
    gone, moved = _gone(records, using)
    complaint = (
        f"The backup has {', '.join(unknown)} hanging on it, which the tables no longer have." if unknown else ""
    )
    versions: dict[str, list[Any]] = {}
    for label, of_model in gone.items():
        versions[label], unfit = versions_of(tracked_by_label(label), backup, of_model, using=using)
        complaint = complaint or unfit
    links: dict[tuple[str, str], dict[Any, list[Any]]] = {}
    empty: dict[tuple[str, str], dict[tuple[Any, ...], Any]] = {}
    for group in groups:
        at = (group["model"], group["field"])
        if at not in empty:
            empty[at] = _with_empty_link(*at, using)
        keys = [empty[at][mark] for mark in map(_mark, group["objects"]) if mark in empty[at]]
        if keys:
            target = moved.get((group["to_model"], group["to"]), group["to"])
            links.setdefault(at, {}).setdefault(target, []).extend(keys)
    return HangingPlan(versions, links, complaint)


def _known(backup: ObjectBackup) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[str]]:
    """Return what belonged to the object, the groups of what pointed to it, and the names that no table has now."""
    records, groups = backup.hanging.get("belonging", []), backup.hanging.get("pointing", [])
    unknown = {record["model"] for record in [*records, *groups] if tracked_by_name(record["model"]) is None}
    for group in groups:
        tracked = tracked_by_name(group["model"])
        if tracked is not None and group["field"] not in {field.name for field in tracked.fields_by_column.values()}:
            unknown.add(f"{group['model']}.{group['field']}")
    return (
        [record for record in records if record["model"] not in unknown],
        [record for record in groups if not unknown & {record["model"], f"{record['model']}.{record['field']}"}],
        sorted(unknown),
    )


def _mark(identifiers: Collection[Any]) -> tuple[Any, ...]:
    """Return what identifies an object within its model: the stable key, or else the primary key."""
    key, *stable = map(plain, identifiers)
    return (key,) if not stable or stable[0] is None else (None, stable[0])


def _restore(plan: HangingPlan, *, using: str = "default") -> None:
    for label, versions in plan.gone.items():
        recreate(tracked_by_label(label), versions, using=using)
    for label in dict.fromkeys(label for label, _field in plan.links):
        targets = {field: of for (of_label, field), of in plan.links.items() if of_label == label}
        _link_again(tracked_by_label(label), targets, using=using)


def _link_again(tracked: Tracked, targets: dict[str, dict[Any, list[Any]]], *, using: str) -> None:
    """Set the links (by field) of objects to their old targets, where these exist, by one statement for all."""
    sql = Sql(using).with_model(tracked).with_temps(links=_LINKS)
    linking = [field_of(tracked.model, name) for name in targets]
    linked = [_Linked(number, column_of(field), tracked_for(target_of(field))) for number, field in enumerate(linking)]
    rows: dict[Any, list[Any]] = {}
    for number, of_field in enumerate(targets.values()):
        for target, keys in of_field.items():
            target_key = stored_value(linked[number].target.model._meta.pk, target, sql.connection)
            for key in keys:
                own = stored_value(tracked.model._meta.pk, key, sql.connection)
                rows.setdefault(own, [own, *[None] * len(targets)])[number + 1] = target_key
    types = {"pk": sql.key_type(tracked), **{link.named: sql.key_type(link.target) for link in linked}}
    sql.fresh_temp(_LINKS, ", ".join(f"{name} {kind}" for name, kind in types.items()))
    sql.run_many("INSERT INTO {links} VALUES ({marks})", rows.values(), marks=sql.marks(types))
    sql.analyze(_LINKS)
    fields = tracked.model._meta.concrete_fields
    stamps = [column_of(field) for field in fields if getattr(field, "auto_now", False)]
    values = [
        sql.fill("{column} = COALESCE({found}, {live}.{column})", column=sql.quote(link.column), found=link.key(sql))
        for link in linked
    ]
    # The objects get the links whose targets are there.
    sql.run(
        """
        UPDATE {live} SET {values} FROM {links} l {joins} WHERE {live}.{pk} = l.pk AND ({any_found})
        """,
        [sql.moment(timezone.now())] * len(stamps),
        values=", ".join([*values, *(f"{sql.quote(column)} = %s" for column in stamps)]),
        joins=" ".join(
            f"LEFT JOIN {sql.quote(link.target.table)} j{link.number} ON {link.key(sql)} = l.{link.named}"
            for link in linked
        ),
        any_found=" OR ".join(f"{link.key(sql)} IS NOT NULL" for link in linked),
    )
    sql.drop_temps([_LINKS])


class _Linked(NamedTuple):
    """A link to set again: its column, and the model of its target, which is joined under a number."""

    number: int
    column: str
    target: Tracked

    @property
    def named(self) -> str:
        """The column of the temporary table that has the key of the target."""
        return f"t{self.number}"

    def key(self, sql: Sql) -> str:
        """Return the SQL for the key of the object that was found."""
        return f"j{self.number}.{sql.quote(self.target.pk)}"


def _with_empty_link(label: str, field: str, using: str) -> dict[tuple[Any, ...], Any]:
    """Return the primary key of each object without this link, by its mark."""
    tracked = tracked_by_label(label)
    rows = tracked.model._base_manager.using(using).filter(**{f"{field}__isnull": True}).order_by()
    return {_mark(row): row[0] for row in rows.values_list(*identifying_fields(tracked))}


def _gone(
    records: list[dict[str, Any]], using: str
) -> tuple[dict[str, list[dict[str, Any]]], dict[tuple[str, Any], Any]]:
    """Return the deleted objects by model label, and the keys of those made again, by model label and old key."""
    gone: dict[str, list[dict[str, Any]]] = {}
    moved: dict[tuple[str, Any], Any] = {}
    for label in dict.fromkeys(record["model"] for record in records):
        model = tracked_by_label(label).model
        existing = set(map(plain, model._base_manager.using(using).values_list("pk", flat=True)))
        lacking = [record for record in records if record["model"] == label and record["key"] not in existing]
        again = find_all_by_codes(model, [record.get("codes", {}) for record in lacking], using=using)
        gone[label] = [record for record, key in zip(lacking, again, strict=True) if key is None]
        moved |= {(label, record["key"]): key for record, key in zip(lacking, again, strict=True) if key is not None}
    return {label: of_model for label, of_model in gone.items() if of_model}, moved


def _words(label: str, number: int, singular: str, many: str) -> str:
    return f"{plural(number, tracked_by_label(label).model)} {plural(number, singular, many)}"
