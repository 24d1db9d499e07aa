"""Adding, changing and deleting objects by hand: each a changeset, and never more than the person meant."""

from collections.abc import Iterable
from typing import Any

from django.db import models

from apps.changesets.context import changeset
from apps.changesets.models import Changeset, Kind


def add_object(obj: models.Model, *, actor: Any, reason: str = "") -> Changeset | None:
    """Insert the object as a changeset; return the changeset."""
    with changeset(kind=Kind.EDIT, actor=actor, reason=reason) as opened:
        obj.save(force_insert=True)
    return _made(opened)


def change_object(obj: models.Model, *, fields: Iterable[str], actor: Any, reason: str = "") -> Changeset | None:
    """Write only these fields of the object, and what follows them, as a changeset; None when nothing changed."""
    fields = set(fields)
    if not fields:
        return None
    stamps = {field.name for field in obj._meta.concrete_fields if getattr(field, "auto_now", False)}
    with changeset(kind=Kind.EDIT, actor=actor, reason=reason) as opened:
        obj.save(update_fields=fields | stamps)
    return _made(opened)


def delete_objects(objects: models.QuerySet, *, actor: Any, reason: str) -> Changeset | None:
    """Delete the objects as a changeset; None when there were none. Raises ProtectedError as Django does."""
    with changeset(kind=Kind.DELETE, actor=actor, reason=reason) as opened:
        objects.delete()
    return _made(opened)


def links_cleared_by_deleting(objects: Iterable[models.Model]) -> list[tuple[int, str]]:
    """Return how many objects of which model would lose their link to these, were they deleted."""
    return _pointing_to(objects, models.SET_NULL)


def protected_by(objects: Iterable[models.Model]) -> list[tuple[int, str]]:
    """Return how many objects of which model forbid the deletion of these, because they point to them."""
    return _pointing_to(objects, models.PROTECT)


def _pointing_to(objects: Iterable[models.Model], on_delete: Any) -> list[tuple[int, str]]:
    objects = list(objects)
    found = []
    for relation in objects[0]._meta.related_objects if objects else ():
        if relation.on_delete is on_delete:
            number = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": objects}).count()
            meta = relation.related_model._meta
            found.append((number, str(meta.verbose_name if number == 1 else meta.verbose_name_plural)))
    return [line for line in found if line[0]]


def _made(opened: Changeset) -> Changeset | None:
    return opened if opened.pk else None
