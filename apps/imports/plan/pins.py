"""Pins: fields that imports leave as they are, and deleted objects that imports do not bring back.

A pin makes no changeset. It follows its object by the stable key, where the object has one.
"""

from django.db import models, transaction
from django.utils import timezone

from apps.changesets.history.stable_key import PRIMARY, STABLE, object_key_of
from apps.changesets.history.words import full_name
from apps.changesets.models import Actor
from apps.changesets.tracking import tracked_for
from apps.imports.errors import NotDeleted, NoteMissing, NotPinnable, NotPinned
from apps.imports.models import Pin
from apps.imports.registry import spec_for


def pinnable_fields(model: type[models.Model]) -> tuple[str, ...]:
    """Return the fields of a model that can be pinned: those that imports fill, and the links; none without imports.

    A field that follows another one is pinned with it. Stable keys and automatic primary keys cannot be pinned.
    """
    try:
        spec = spec_for(model)
    except LookupError:
        return ()
    known_by = {spec.stable_key} | ({spec.pk} if spec.automatic else set())
    columns = [column.field for column in spec.columns if column.stored and column.field not in known_by]
    derived = [derived.field for derived in spec.derived if derived.merged and derived.stored]
    links = [link.field for link in spec.linker.links] if spec.linker else []
    return tuple(dict.fromkeys([*columns, *derived, *links]))


@transaction.atomic
def pin(obj: models.Model, field: str, *, note: str, actor: Actor) -> Pin:
    """Pin a field of a live object; a field that is pinned already gets the new note.

    Raises NotPinnable for a field that imports do not fill, NoteMissing without a note.
    """
    if field not in pinnable_fields(type(obj)):
        raise NotPinnable(f"Imports do not fill “{field}” of {obj._meta.verbose_name_plural}, so it needs no pin.")
    made = _put(obj._meta.label_lower, object_key_of(obj), field, note, actor)
    _pins(obj).filter(field=field).exclude(pk=made.pk).delete()
    return made


def unpin(obj: models.Model, field: str) -> None:
    """Let imports change a field of an object again; raises NotPinned when it is not pinned."""
    if not _pins(obj).filter(field=field).delete()[0]:
        raise NotPinned(f"“{field}” of {obj} is not pinned: somebody may have unpinned it meanwhile.")


def pins_of(obj: models.Model) -> dict[str, Pin]:
    """Return the pins of an object by field, those made before it had a stable key included; takes one query."""
    pins = _pins(obj).exclude(field="").select_related("actor")
    # The pin under the stable key is the newer one where there are two.
    return {pin.field: pin for pin in sorted(pins, key=lambda pin: pin.object_key.startswith(STABLE))}


def settle_pins(model: type[models.Model]) -> int:
    """Put the pins of objects that have got a stable key under it, so that they follow a rename; return how many.

    To be called where objects get their stable keys: when an import has been applied.
    """
    tracked, label = tracked_for(model), model._meta.label_lower
    if tracked.stable_key is None:
        return 0
    early = list(Pin.objects.filter(model=label, object_key__startswith=PRIMARY).exclude(field=""))
    objects = model._base_manager.in_bulk([pin.object_key.removeprefix(PRIMARY) for pin in early])
    moved = 0
    for pin in early:
        obj = objects.get(model._meta.pk.to_python(pin.object_key.removeprefix(PRIMARY)))
        if obj is None or (key := object_key_of(obj)) == pin.object_key:
            continue
        moved += 1
        if Pin.objects.filter(model=label, object_key=key, field=pin.field).exists():
            pin.delete()
        else:
            Pin.objects.filter(pk=pin.pk).update(object_key=key)
    return moved


def pin_deletion(model: type[models.Model], object_key: str, *, note: str, actor: Actor) -> Pin:
    """Let imports not bring back a deleted object; raises NotDeleted while it lives, NoteMissing without a note."""
    if _lives(model, object_key):
        raise NotDeleted(f"That {model._meta.verbose_name} is not deleted: there is no deletion to keep.")
    return _put(model._meta.label_lower, object_key, "", note, actor)


def unpin_deletion(model: type[models.Model], object_key: str) -> None:
    """Let imports bring back a deleted object again; raises NotPinned when its deletion is not pinned."""
    if not Pin.objects.filter(model=model._meta.label_lower, object_key=object_key, field="").delete()[0]:
        raise NotPinned(f"The deletion of that {model._meta.verbose_name} is not pinned.")


def pinned_deletions(model: type[models.Model]) -> dict[str, Pin]:
    """Return the pins of deletions by object key; those of objects that live again have no effect while they do."""
    pins = Pin.objects.filter(model=model._meta.label_lower, field="").select_related("actor")
    return {pin.object_key: pin for pin in pins}


def pinned_by(made: Pin) -> str:
    """Return who made a pin: the person's name, also when the person is gone."""
    if made.actor is not None:
        return full_name(made.actor)
    return made.actor_name or "a command"


def _pins(obj: models.Model) -> models.QuerySet[Pin]:
    keys = {object_key_of(obj), f"{PRIMARY}{obj.pk}"}
    return Pin.objects.filter(model=obj._meta.label_lower, object_key__in=keys)


def _put(label: str, object_key: str, field: str, note: str, actor: Actor) -> Pin:
    if not note.strip():
        raise NoteMissing("Say why: others will read it beside the pin.")
    values = {
        "note": note.strip(),
        "actor": actor,
        "actor_name": full_name(actor) if actor is not None else "",
        "created_at": timezone.now(),
    }
    # Who made a pin is never changed afterwards: another person's pin takes its place.
    Pin.objects.filter(model=label, object_key=object_key, field=field).exclude(actor=actor).delete()
    made, _ = Pin.objects.update_or_create(values, model=label, object_key=object_key, field=field)
    return made


def _lives(model: type[models.Model], object_key: str) -> bool:
    tracked, (kind, value) = tracked_for(model), (object_key[:3], object_key[3:])
    known_by = tracked.fields_by_column[tracked.stable_key] if kind == STABLE and tracked.stable_key else model._meta.pk
    return model._base_manager.filter(**{known_by.attname: value}).exists()
