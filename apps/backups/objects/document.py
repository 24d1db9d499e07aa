"""The document of a backup of one object: its values as stored, and its links by codes that people know.

The document is JSON. Its SHA-256 covers everything else in it, in one canonical form, so that the layout and order of
the file do not matter and every value does.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from django.db import connections, models
from django.db.migrations.recorder import MigrationRecorder

from apps.backups.catalogue.signing import SIGNATURE
from apps.changesets.fields import field_of, target_of
from apps.changesets.tracking import tracked_for

FORMAT = 1
HASH = "sha256"
_CHUNK = 500
_PLAIN = (bool, int, float, str, dict, list)


def values_of(obj: models.Model) -> dict[str, Any]:
    """Return every value of the object by field name, as it is stored; links by key."""
    return {field.name: plain(getattr(obj, field.attname)) for field in obj._meta.concrete_fields}


def links_of(obj: models.Model) -> dict[str, dict[str, Any]]:
    """Return the target of each link of the object: model, key, name, and codes that identify it without its key."""
    links = {}
    for field in obj._meta.concrete_fields:
        target = getattr(obj, field.name) if field.is_relation else None
        if target is not None:
            links[field.name] = {
                "model": target._meta.label_lower,
                "key": plain(target.pk),
                "name": str(target),
                "codes": codes_of(target),
            }
    return links


def codes_of(obj: models.Model) -> dict[str, Any]:
    """Return the first set of unique values of a tracked object that is not its primary key; links by their codes."""
    tracked = tracked_for(type(obj))
    columns = next((columns for columns in tracked.unique_sets if columns != (tracked.pk,)), (tracked.pk,))
    codes = {}
    for field in (tracked.fields_by_column[column] for column in columns):
        value = getattr(obj, field.name)
        codes[field.name] = codes_of(value) if field.is_relation and value is not None else plain(value)
    return codes


def find_all_by_codes(model: type[models.Model], wanted: Sequence[dict[str, Any]], *, using: str) -> list[Any]:
    """Return for each set of codes the key of the object that has them now, or None; some hundreds in one query."""
    targets: dict[tuple[str, str], Any] = {}

    def key_or_value(name: str, value: Any) -> Any:
        """Return the value; for a link, the key of the object that has its codes now."""
        if not isinstance(value, dict):
            return value
        mark = name, json.dumps(value, sort_keys=True)
        if mark not in targets:
            target = target_of(field_of(model, name))
            targets[mark] = find_all_by_codes(target, [value], using=using)[0]
        return targets[mark]

    lookups = [{name: key_or_value(name, value) for name, value in codes.items()} for codes in wanted]
    # Codes with NULL match nothing.
    askable = [codes for codes in lookups if codes and None not in codes.values()]
    keys: dict[tuple[Any, ...], Any] = {}
    for names in {tuple(codes) for codes in askable}:
        values = [tuple(codes.values()) for codes in askable if tuple(codes) == names]
        for start in range(0, len(values), _CHUNK):
            columns = zip(names, zip(*values[start : start + _CHUNK], strict=True), strict=True)
            rows = model._base_manager.using(using).filter(**{f"{name}__in": set(of) for name, of in columns})
            keys |= {(names, tuple(codes)): key for key, *codes in rows.values_list("pk", *names)}
    return [keys.get((tuple(codes), tuple(codes.values()))) for codes in lookups]


def schema_of(model: type[models.Model], *, using: str) -> str:
    """Return the newest migration of the model's app that the database has: `airports.0003_history`."""
    label = model._meta.app_label
    applied = MigrationRecorder(connections[using]).applied_migrations()
    return f"{label}.{max((name for app, name in applied if app == label), default='none')}"


def hash_of(document: dict[str, Any]) -> str:
    """Return the SHA-256 of a document in hex, without the hash and the signature that it carries."""
    content = {name: value for name, value in document.items() if name not in (HASH, SIGNATURE)}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if value is None or isinstance(value, _PLAIN):
        return value
    return value.isoformat() if isinstance(value, (datetime, date, time)) else str(value)
