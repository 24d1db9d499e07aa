"""Restoring an object from its backup: what the table can still take of it, and the plan that going back makes of that.

A backup becomes a version of the object that was never saved; planning and writing are those of going back in history,
so that missing links and taken values are found the same way.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from apps.backups.errors import OtherObject, OtherSchema
from apps.backups.objects.catalogue import ObjectBackup
from apps.backups.objects.document import find_all_by_codes, schema_of
from apps.changesets.context import Source
from apps.changesets.fields import AnyField, target_of
from apps.changesets.models import Actor, Changeset
from apps.changesets.revert.go_back import VersionPlan, go_back, living, plan_version
from apps.changesets.tracking import Tracked


@dataclass(frozen=True)
class Fit:
    """How a backup fits the table as it is now; `complaint` names what would be left out, and is empty for nothing.

    `version` has the values that fit; the others are as they are now, or the default where the object is gone.
    """

    version: Any
    complaint: str


def fit_backup(tracked: Tracked, backup: ObjectBackup, *, using: str = "default") -> Fit:
    """Return the backup as a version of the object, and what of it the table cannot take."""
    (version,), left_out = _versions(tracked, [(backup.fields, backup.links)], using=using)
    now = living(tracked, version)
    for name in set().union(*left_out.values()) if now is not None else ():
        if field := known_fields(tracked).get(name):
            setattr(version, field.attname, getattr(now, field.attname))
    return Fit(version, _complaint(tracked, backup, left_out, using=using))


def versions_of(
    tracked: Tracked, backup: ObjectBackup, records: Sequence[dict[str, Any]], *, using: str = "default"
) -> tuple[list[Any], str]:
    """Return what hung on the object and is gone as versions of it, and what of them all the table cannot take."""
    versions, left_out = _versions(tracked, [(each["fields"], each["links"]) for each in records], using=using)
    return versions, _complaint(tracked, backup, left_out, using=using)


def _versions(
    tracked: Tracked, told: Sequence[tuple[dict[str, Any], dict[str, Any]]], *, using: str
) -> tuple[list[Any], dict[str, list[str]]]:
    """Return versions of the values and links told of each, with defaults for what is left out, and what that is."""
    known = known_fields(tracked)
    gone, new, unfit = set(), set(), set()
    keys = {name: _keys_now(field, name, told, using=using) for name, field in known.items() if field.is_relation}
    versions = []
    for fields, _links in told:
        gone |= fields.keys() - known.keys()
        new |= known.keys() - fields.keys()
        values = {}
        for name in fields.keys() & known.keys():
            try:
                value = _read(known[name], fields[name])
            except (ValidationError, ValueError, TypeError):
                unfit.add(name)
            else:
                # Only of links there is a key to be told; another value may be JSON, which is no key of anything.
                values[name] = keys[name].get(value, value) if name in keys else value
        values |= {name: known[name].get_default() for name in known.keys() - values.keys()}
        versions.append(tracked.history_model(**{known[name].attname: value for name, value in values.items()}))
        versions[-1]._state.db = using
    return versions, {
        "the table no longer has": sorted(gone),
        "the backup does not have": [name for name in known if name in new],
        "the table no longer takes the backup's": sorted(unfit),
    }


def known_fields(tracked: Tracked) -> dict[str, AnyField]:
    """Return the fields that the table has, by name."""
    return {field.name: field for field in tracked.model._meta.concrete_fields}


def fit_to(tracked: Tracked, backup: ObjectBackup, obj: models.Model) -> Fit:
    """Return the backup as a version of this object; raises OtherObject when going back would change another one.

    That is so where the number that the object had when it was backed up is that of another object by now.
    """
    fit = fit_backup(tracked, backup, using=obj._state.db or "default")
    now = living(tracked, fit.version)
    if now is not None and now.pk != obj.pk:
        raise OtherObject(
            f"The backup {backup.name} is of what is {now} by now, not of {obj}. Nothing was restored; open that one, "
            "and restore it there."
        )
    return fit


def plan_restore_of(tracked: Tracked, fit: Fit, *, fields: Collection[str] | None = None) -> VersionPlan:
    """Return what restoring would set (None: all fields that differ), and what stands in the way."""
    return plan_version(tracked, fit.version, fields=fields)


def restore_from(
    tracked: Tracked,
    backup: ObjectBackup,
    fit: Fit,
    *,
    fields: Collection[str],
    actor: Actor,
    reason: str,
    seen: int | None,
    rest: bool = False,
) -> Changeset:
    """Give the object the backup's values of these fields, as one changeset of kind restore.

    Raises OtherSchema when something would be left out and `rest` does not say that the rest is wanted; otherwise as
    `go_back` does.
    """
    if fit.complaint and not rest:
        raise OtherSchema(fit.complaint)
    return go_back(
        tracked,
        fit.version,
        fields=fields,
        actor=actor,
        reason=reason,
        seen=seen,
        source=source_of(backup),
    )


def source_of(backup: ObjectBackup) -> Source:
    """Return the backup's file as what a changeset came from."""
    return Source(backup.file.name, backup.sha256, backup.size)


def _read(field: AnyField, stored: Any) -> Any:
    """Return the value of a field as Python has it; raises where the field cannot take it."""
    if stored is None:
        if not field.null:
            raise ValidationError("It may not be empty any more.")
        return None
    value = field.to_python(stored)
    if field.max_length is not None and isinstance(value, str) and len(value) > field.max_length:
        raise ValidationError("It is too long by now.")
    return value


def _keys_now(
    field: AnyField, name: str, told: Sequence[tuple[dict[str, Any], dict[str, Any]]], *, using: str
) -> dict[Any, Any]:
    """Return the keys that targets of a link have now, by those they had: they may have been made again."""
    key_of = field.to_python
    codes = {key_of(links[name]["key"]): links[name].get("codes") for _fields, links in told if name in links}
    codes = {key: of for key, of in codes.items() if of}
    target = target_of(field)
    there = target._base_manager.using(using).in_bulk(list(codes)) if codes else {}
    gone = [key for key in codes if key not in there]
    found = find_all_by_codes(target, [codes[key] for key in gone], using=using)
    return {key: now for key, now in zip(gone, found, strict=True) if now is not None}


def _complaint(tracked: Tracked, backup: ObjectBackup, left_out: Mapping[str, Collection[str]], *, using: str) -> str:
    parts = [f"{words} {', '.join(names)}" for words, names in left_out.items() if names]
    if not parts:
        return ""
    return (
        f"The backup was made with {backup.schema}, and the table is at {schema_of(tracked.model, using=using)}: "
        f"{'; '.join(parts)}. Tick “Restore the rest” to restore the other fields."
    )
