"""Adding and changing objects by hand, each as one changeset."""

from collections.abc import Iterable

from django.db import models

from apps.changesets.context import changeset
from apps.changesets.models import Actor, Changeset, Kind


def add_object(obj: models.Model, *, actor: Actor, reason: str = "") -> Changeset | None:
    """Insert the object as a changeset; return the changeset."""
    with changeset(kind=Kind.EDIT, actor=actor, reason=reason) as opened:
        obj.save(force_insert=True)
    return opened if opened.pk else None


def change_object(obj: models.Model, *, fields: Iterable[str], actor: Actor, reason: str = "") -> Changeset | None:
    """Write only these fields of the object, and what follows them, as a changeset; None when nothing changed."""
    fields = set(fields)
    if not fields:
        return None
    stamps = {field.name for field in obj._meta.concrete_fields if getattr(field, "auto_now", False)}
    with changeset(kind=Kind.EDIT, actor=actor, reason=reason) as opened:
        obj.save(update_fields=fields | stamps)
    return opened if opened.pk else None
