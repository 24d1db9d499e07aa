"""The key by which an object is known when its primary key changes."""

from typing import Any

from django.db.models import Model

from apps.changesets.tracking import Tracked, tracked_for

# How such a key begins where it is kept as text.
STABLE, PRIMARY = "id:", "pk:"


def stable_key_of(tracked: Tracked, row: Any) -> Any:
    """Return what stays when the primary key of this object or history row changes; None where nothing does."""
    if tracked.stable_field is None:
        return None
    return getattr(row, tracked.stable_field.attname)


def object_key_of(obj: Model) -> str:
    """Return the key by which what is kept about an object knows it (or a history row's instance): `id:3486`, or else
    `pk:KDEN`; also of a model whose changes are not recorded.
    """
    try:
        return row_key_of(tracked_for(type(obj)), obj)
    except LookupError:
        return f"{PRIMARY}{obj.pk}"


def row_key_of(tracked: Tracked, row: Any) -> str:
    """Return the same key, of an object or a history row of a tracked model."""
    stable = stable_key_of(tracked, row)
    primary = getattr(row, tracked.model._meta.pk.attname)
    return f"{PRIMARY}{primary}" if stable is None else f"{STABLE}{stable}"
