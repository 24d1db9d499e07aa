"""Restoring an object from its backup: what the table can still take of it, and the plan that going back makes of that.

A backup becomes a version of the object that was never saved; planning and writing are those of going back in history,
so that missing links and taken values are found the same way.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from apps.backups.errors import OtherObject, OtherSchema
from apps.backups.objects.catalogue import ObjectBackup
from apps.backups.objects.document import find_by_codes, schema_of
from apps.changesets.context import Source
from apps.changesets.going_back import VersionPlan, go_back, living, plan_version
from apps.changesets.models import Changeset
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
    known = {field.name: field for field in tracked.model._meta.concrete_fields}
    gone = tuple(sorted(set(backup.fields) - set(known)))
    new = tuple(name for name in known if name not in backup.fields)
    values, unfit = {}, []
    for name in backup.fields.keys() & known.keys():
        try:
            values[name] = _read(known[name], backup, using=using)
        except (ValidationError, ValueError, TypeError):
            unfit.append(name)
    version = tracked.history_model(**{known[name].attname: value for name, value in values.items()})
    version._state.db = using
    now = living(tracked, version)
    for name in (*new, *unfit):
        field = known[name]
        setattr(version, field.attname, getattr(now, field.attname) if now is not None else field.get_default())
    left_out = {
        "the table no longer has": gone,
        "the backup does not have": new,
        "the table no longer takes the backup's": sorted(unfit),
    }
    return Fit(version, _complaint(tracked, backup, left_out, using=using))


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
    actor: Any,
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


def _read(field: models.Field, backup: ObjectBackup, *, using: str) -> Any:
    """Return the value of a field as Python has it; raises where the field cannot take it."""
    stored = backup.fields[field.name]
    if stored is None:
        if not field.null:
            raise ValidationError("It may not be empty any more.")
        return None
    value = field.to_python(stored)
    if field.max_length is not None and isinstance(value, str) and len(value) > field.max_length:
        raise ValidationError("It is too long by now.")
    return _link(field, backup, value, using=using) if field.is_relation else value


def _link(field: models.Field, backup: ObjectBackup, key: Any, *, using: str) -> Any:
    """Return the key that the target of a link has now: it may have been made again under another one."""
    codes = backup.links.get(field.name, {}).get("codes")
    if not codes or field.related_model._base_manager.using(using).filter(pk=key).exists():
        return key
    found = find_by_codes(field.related_model, codes, using=using)
    return key if found is None else found.pk


def _complaint(tracked: Tracked, backup: ObjectBackup, left_out: dict[str, Collection[str]], *, using: str) -> str:
    parts = [f"{words} {', '.join(names)}" for words, names in left_out.items() if names]
    if not parts:
        return ""
    return (
        f"The backup was made with {backup.schema}, and the table is at {schema_of(tracked.model, using=using)}: "
        f"{'; '.join(parts)}. Tick “Restore the rest” to restore the other fields."
    )
