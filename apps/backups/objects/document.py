"""The document of a backup of one object: its values as stored, links by codes that people know, what hangs on it.

The document is JSON. Its SHA-256 covers everything else in it, in one canonical form, so that the layout and order of
the file do not matter and every value does.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import Any

from django.db import connections, models
from django.db.migrations.recorder import MigrationRecorder

from apps.backups.catalogue.signing import SIGNATURE
from apps.changesets.fields import AnyField, field_of, target_of
from apps.changesets.tracking import Tracked, tracked_for, tracked_models

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


def kinds_hanging_on(model: type[models.Model]) -> tuple[list[AnyField], list[AnyField]]:
    """Return the links of tracked models to this model: those that may not be empty, and those that may."""
    tracked = {owner.model for owner in tracked_models()}
    fields = [relation.field for relation in model._meta.related_objects if relation.related_model in tracked]
    return [field for field in fields if not field.null], [field for field in fields if field.null]


def hanging_of(live: models.Model, *, using: str) -> dict[str, list[dict[str, Any]]]:
    """Return what hangs on the object now, in the form of its backup."""
    owners, links = kinds_hanging_on(type(live))
    pointing = [_pointing(field, {field.name: live}, using) for field in links]
    belonging = []
    for owner in owners:
        links_of_model = [field.name for field in owner.model._meta.concrete_fields if field.is_relation]
        rows = owner.model._base_manager.using(using).filter(**{owner.name: live}).order_by("pk")
        for row in rows.select_related(*links_of_model).iterator():
            heading = {"model": row._meta.label_lower, "key": plain(row.pk), "name": str(row)}
            belonging.append({**heading, "codes": codes_of(row), "fields": values_of(row), "links": links_of(row)})
        further = kinds_hanging_on(owner.model)[1]
        pointing += [_pointing(field, {f"{field.name}__{owner.name}": live}, using) for field in further]
    return {"belonging": belonging, "pointing": [group for groups in pointing for group in groups]}


def _pointing(field: AnyField, where: dict[str, Any], using: str) -> Iterator[dict[str, Any]]:
    """Yield the objects that point to each target, a group for each target."""
    rows = field.model._base_manager.using(using).filter(**where).order_by(field.attname, "pk")
    targets: dict[Any, list[list[Any]]] = defaultdict(list)
    for target, *identifiers in rows.values_list(field.attname, *identifying_fields(tracked_for(field.model))):
        targets[target].append([plain(value) for value in identifiers])
    for target, objects in targets.items():
        to = {"to_model": target_of(field)._meta.label_lower, "to": plain(target)}
        yield {"model": field.model._meta.label_lower, "field": field.name, **to, "objects": objects}


def identifying_fields(tracked: Tracked) -> list[str]:
    """Return the fields that identify an object: its primary key and its stable key."""
    stable = [tracked.stable_field.attname] if tracked.stable_field else []
    return ["pk", *stable]
