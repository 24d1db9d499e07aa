"""Where the present values of many objects come from, in two queries for all."""

from collections.abc import Collection
from typing import Any

from django.db import models
from django.db.models import Q

from apps.changesets.origins import Origin
from apps.changesets.tracking import tracked_for


def origins_of_many(model: type[models.Model], pks: Collection[Any]) -> dict[str, dict[str, Origin]]:
    """Return the origin of each field's present value by field name, for each of the objects by its key as text.

    It is the same as `origins_of` says of each alone, and as there, another primary key that an object had is seen
    through. Meant for a page of objects.
    """
    tracked = tracked_for(model)
    pk = model._meta.pk.attname
    found = Q(**{f"{pk}__in": list(pks)})
    stable = tracked.fields_by_column[tracked.stable_key].attname if tracked.stable_key else ""
    owners: dict[Any, Any] = {}
    if stable:
        living = model._base_manager.filter(found).exclude(**{stable: None})
        owners = {key: owner for owner, key in living.values_list("pk", stable)}
        found |= Q(**{f"{stable}__in": list(owners)})
    rows = tracked.history_model._base_manager.filter(found).exclude(history_type="-")
    origins: dict[str, dict[str, Origin]] = {}
    before: dict[str, Any] = {}
    for row in rows.select_related("changeset", "changeset__actor").order_by("history_id"):
        key = getattr(row, stable) if stable else None
        # Another object may have had the key once.
        owner = getattr(row, pk) if key is None else owners.get(key)
        if owner is None:
            continue
        owner, last = str(owner), before.get(str(owner))
        for field in model._meta.concrete_fields:
            if last is None or getattr(row, field.attname) != getattr(last, field.attname):
                origins.setdefault(owner, {})[field.name] = Origin(row.changeset, row.history_date)
        before[owner] = row
    return origins
