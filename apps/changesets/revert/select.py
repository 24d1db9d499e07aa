"""Which changesets to revert when a person does not name one."""

from datetime import datetime

from apps.changesets.history.pruning import refuse_pruned
from apps.changesets.models import Changeset, Kind, Status

OPEN_TO_REVERT = (Status.APPLIED, Status.PARTLY_REVERTED)


def newest_revertable(*, kind: str, model: str, using: str = "default") -> Changeset | None:
    """Return the newest changeset of a kind that touched the model (a label) and is not reverted yet, or None."""
    candidates = Changeset.objects.using(using).filter(kind=kind, status=Status.APPLIED, pruned_at=None)
    return candidates.filter(counts__has_key=model).order_by("-pk").first()


def changesets_since(moment: datetime, *, kind: str | None = None, using: str = "default") -> list[Changeset]:
    """Return the changesets made at or after `moment`, newest first: those of one kind not reverted yet, or all.

    Raises HistoryPruned when what was there at the moment is not known any more.

    What a migration did, and baselines, are never among them. Of all kinds, reverts and what they reverted both count:
    undone newest first, they cancel out.
    """
    since = Changeset.objects.using(using).filter(created_at__gte=moment).exclude(status=Status.FAILED)
    refuse_pruned(since)
    since = since.exclude(kind__in=[Kind.BASELINE, Kind.MIGRATION]).order_by("-pk")
    if kind is not None:
        since = since.filter(kind=kind, status__in=OPEN_TO_REVERT)
    return list(since)
