"""What hangs on an object: what belongs to it (a country's cities), and what may point to it (airports' links).

The links of the models decide: an object whose link may not be empty belongs to its target and is backed up whole; of
an object whose link may be empty, only the link is backed up.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.db import models

from apps.backups.objects.document import codes_of, links_of, plain, values_of
from apps.changesets.fields import AnyField, target_of
from apps.changesets.tracking import Tracked, tracked_for, tracked_models


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
