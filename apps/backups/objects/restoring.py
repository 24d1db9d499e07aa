"""Restoring an object from its backup: the values that the table still takes, and the plan of going back to them.

A backup becomes an unsaved version of the object. Planning and writing are those of going back in history, so missing
links and taken values are found the same way.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from apps.backups.errors import BackupFailure, OtherSchema
from apps.backups.objects.catalogue import ObjectBackup, readable
from apps.backups.objects.document import find_all_by_codes, schema_of
from apps.changesets.context import Source
from apps.changesets.fields import AnyField, target_of
from apps.changesets.models import Actor, Changeset
from apps.changesets.recording.renaming import former_names
from apps.changesets.revert.go_back import go_back, living
from apps.changesets.tracking import Tracked


@dataclass(frozen=True)
class Fit:
    """How a backup fits the present table; `complaint` names what would be left out, and is empty when all fits.

    `version` has the values that fit; other fields have their present value, or the default if the object is deleted.
    """

    version: Any
    complaint: str


def fit_backup(tracked: Tracked, backup: ObjectBackup, *, using: str = "default") -> Fit:
    """Return the backup as a version of the object, and the values that the table cannot take."""
    with readable(backup.name):
        (version,), left_out = _versions(tracked, [(backup.fields, backup.links)], using=using)
    now = living(tracked, version)
    for name in set().union(*left_out.values()) if now is not None else ():
        if field := known_fields(tracked).get(name):
            setattr(version, field.attname, getattr(now, field.attname))
    return Fit(version, _complaint(tracked, backup, left_out, using=using))


def versions_of(
    tracked: Tracked, backup: ObjectBackup, records: Sequence[dict[str, Any]], *, using: str = "default"
) -> tuple[list[Any], str]:
    """Return versions of the deleted objects that hung on the object, and the values that the table cannot take."""
    with readable(backup.name):
        versions, left_out = _versions(tracked, [(of["fields"], of["links"]) for of in records], using=using)
    return versions, _complaint(tracked, backup, left_out, using=using)


def _versions(
    tracked: Tracked, records: Sequence[tuple[dict[str, Any], dict[str, Any]]], *, using: str
) -> tuple[list[Any], dict[str, list[str]]]:
    """Return a version for each pair of values and links, with defaults for what is left out, and the names of that."""
    known = known_fields(tracked)
    if any(fields.keys() - known.keys() for fields, _links in records):
        # Made before a field was renamed.
        former = {old: now for old, now in former_names(tracked.model).items() if now is not None}
        records = [(_by_present_names(fields, former), _by_present_names(links, former)) for fields, links in records]
    gone, new, unfit = set(), set(), set()
    keys = {name: _keys_now(field, name, records, using=using) for name, field in known.items() if field.is_relation}
    versions = []
    for fields, _links in records:
        gone |= fields.keys() - known.keys()
        new |= known.keys() - fields.keys()
        values = {}
        for name in fields.keys() & known.keys():
            try:
                value = _read(known[name], fields[name])
            except (ValidationError, ValueError, TypeError):
                unfit.add(name)
            else:
                # Only links have keys to replace; another value may be JSON, which cannot be a key of a dict.
                values[name] = keys[name].get(value, value) if name in keys else value
        values |= {name: known[name].get_default() for name in known.keys() - values.keys()}
        versions.append(tracked.history_model(**{known[name].attname: value for name, value in values.items()}))
        versions[-1]._state.db = using
    return versions, {
        "the table no longer has": sorted(gone),
        "the backup does not have": [name for name in known if name in new],
        "the table no longer takes the backup's": sorted(unfit),
    }


def _by_present_names(values: dict[str, Any], former: Mapping[str, str]) -> dict[str, Any]:
    return {former.get(name, name): value for name, value in values.items()}


def known_fields(tracked: Tracked) -> dict[str, AnyField]:
    """Return the fields that the table has, by name."""
    return {field.name: field for field in tracked.model._meta.concrete_fields}


def fit_to(tracked: Tracked, backup: ObjectBackup, obj: models.Model) -> Fit:
    """Return the backup as a version of this object; raises BackupFailure when going back would change another one.

    That happens when another object has the stable key of the backup now.
    """
    fit = fit_backup(tracked, backup, using=obj._state.db or "default")
    now = living(tracked, fit.version)
    if now is not None and now.pk != obj.pk:
        raise BackupFailure(
            f"The backup {backup.name} is of what is {now} by now, not of {obj}. Nothing was restored; open that one, "
            "and restore it there."
        )
    return fit


def restore_from(
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
    """Give the object the backup's values of these fields, as one changeset of kind restore.

    Raises OtherSchema when something would be left out, unless `partly` is set, and the errors of `go_back`.
    """
    if fit.complaint and not partly:
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
    """Return the file of the backup as the source of a changeset."""
    return Source(backup.file_name, backup.sha256, backup.size)


def _read(field: AnyField, stored: Any) -> Any:
    """Return the Python value for a field; raises an error when the field cannot take it."""
    if stored is None:
        if not field.null:
            raise ValidationError("It may not be empty any more.")
        return None
    value = field.to_python(stored)
    if field.max_length is not None and isinstance(value, str) and len(value) > field.max_length:
        raise ValidationError("It is too long by now.")
    return value


def _keys_now(
    field: AnyField, name: str, records: Sequence[tuple[dict[str, Any], dict[str, Any]]], *, using: str
) -> dict[Any, Any]:
    """Return the present keys of targets of a link that were made again, by their old keys."""
    key_of = field.to_python
    codes = {key_of(links[name]["key"]): links[name].get("codes") for _fields, links in records if name in links}
    codes = {key: of for key, of in codes.items() if of}
    target = target_of(field)
    existing = target._base_manager.using(using).in_bulk(list(codes)) if codes else {}
    gone = [key for key in codes if key not in existing]
    new_keys = find_all_by_codes(target, [codes[key] for key in gone], using=using)
    return {key: now for key, now in zip(gone, new_keys, strict=True) if now is not None}


def _complaint(tracked: Tracked, backup: ObjectBackup, left_out: Mapping[str, Collection[str]], *, using: str) -> str:
    parts = [f"{words} {', '.join(names)}" for words, names in left_out.items() if names]
    if not parts:
        return ""
    return (
        f"The backup was made with {backup.schema}, and the table is at {schema_of(tracked.model, using=using)}: "
        f"{'; '.join(parts)}. Tick “Restore the rest” to restore the other fields."
    )
