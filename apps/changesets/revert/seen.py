"""What a person was shown: the newest history row of each table when a plan was made."""

from django.db import connections, transaction
from django.db.models import Max
from django.db.models.functions import Coalesce

from apps.changesets.locking import lock_tracked_tables, patience
from apps.changesets.tracking import tracked_models

# A page waits so long for somebody who is writing; a large import takes longer.
PATIENCE_SECONDS = 3


def newest_seen(*, using: str = "default") -> dict[str, int]:
    """Return the newest history_id by model label; what is written later has a greater one.

    PostgreSQL hands numbers out before it commits, so nobody may be writing in the moment when they are read there:
    raises Busy with a sentence when somebody still is after a few seconds.
    """
    if connections[using].vendor == "sqlite":
        return _newest(using)
    with patience(PATIENCE_SECONDS, using=using), transaction.atomic(using=using):
        lock_tracked_tables(using, mode="SHARE")
        return _newest(using)


def _newest(using: str) -> dict[str, int]:
    return {
        tracked.label: tracked.history_model._base_manager.using(using).aggregate(
            newest=Coalesce(Max("history_id"), 0)
        )["newest"]
        for tracked in tracked_models()
    }
