"""The recycle bin: objects that are deleted, each by the history row of its deletion."""

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.models import Exists, Max, OuterRef

from apps.changesets.history_models import HistoryRow
from apps.changesets.tracking import Tracked


def deleted_objects(tracked: Tracked, *, using: str = "default") -> models.QuerySet[HistoryRow]:
    """Return the newest deletion of each object that is gone, newest first, with changeset and actor.

    An object that lives on under another primary key is not gone: it is known by its stable key. Live rows equal the
    newest history rows, so asking the live table is enough, and an index answers.
    """
    history = tracked.history_model._base_manager.using(using)
    gone = history.filter(history_type="-").order_by()
    live = tracked.model._base_manager.using(using)
    pk = tracked.model._meta.pk.attname
    by_key = gone.filter(~Exists(live.filter(pk=OuterRef(pk))))
    if tracked.stable_field is None:
        newest = _newest(by_key, pk)
    else:
        stable = tracked.stable_field.attname
        known = gone.filter(~Exists(live.filter(**{stable: OuterRef(stable)})), **{f"{stable}__isnull": False})
        unknown = by_key.filter(**{f"{stable}__isnull": True})
        # A union, since two conditions joined by OR would have the whole history read once more.
        newest = _newest(known, stable).union(_newest(unknown, pk), all=True)
    return history.filter(history_id__in=newest).select_related("changeset", "changeset__actor").order_by("-history_id")


def still_deleted(tracked: Tracked, rows: Sequence[int], *, using: str = "default") -> models.QuerySet[HistoryRow]:
    """Return those of the history rows (by history_id) that stand in the recycle bin."""
    return deleted_objects(tracked, using=using).filter(history_id__in=rows)


def _newest(rows: models.QuerySet[HistoryRow], of: str) -> models.QuerySet[Any, Any]:
    newest: models.QuerySet[Any, Any] = rows.values(of).annotate(newest=Max("history_id")).values("newest")
    return newest
