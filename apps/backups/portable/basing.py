"""Which backup an incremental one goes on from, and what of the live database came after it."""

from datetime import datetime, timedelta

from django.db import connections
from django.db.models import Q

from apps.backups.catalogue.journal import read_journal
from apps.backups.catalogue.manifests import Backup, list_backups
from apps.backups.errors import NoBase
from apps.backups.portable.facts import migrations_of
from apps.changesets.models import Changeset

KINDS = ("full", "data", "incremental")
# On PostgreSQL, what was open when the base was made may have numbers below its newest. Whatever was committed in so
# long a time before it is written again, and replaces what the base has of it.
OVERLAP = timedelta(minutes=10)
# From the name of a backup to its snapshot.
_BEGINNING = timedelta(minutes=1)


def find_base(using: str) -> Backup:
    """Return the newest backup that what is in the database now goes on from; raises NoBase."""
    backups = list_backups()
    by_id = {backup.id: backup for backup in backups}
    for backup in backups:
        if goes_on_from(backup, using) and _complete(backup, by_id):
            return backup
    raise NoBase(
        "There is no full backup of this database as it is now that an incremental one could go on from (after a "
        "restore, a migration or a pruning, a new one is needed): make it with `manage.py backup create`."
    )


def changesets_after(using: str, base: Backup) -> int:
    """Return the number of the changeset after which everything has to be written."""
    newest = base.newest_changeset or 0
    since = base.created_at - (OVERLAP if connections[using].vendor == "postgresql" else timedelta())
    ended_since = Q(finished_at__gte=since) | Q(finished_at=None, created_at__gte=since)
    # A direct changeset may have grown after the base was made; only the newest can.
    growing = Q(pk=newest, finished_at=None)
    known = Changeset.objects.using(using).filter(pk__lte=newest)
    first = known.filter(ended_since | growing).order_by("pk").values_list("pk", flat=True).first()
    return newest if first is None else first - 1


def goes_on_from(backup: Backup, using: str) -> bool:
    """Whether what is in the database now came after this backup, and not after another one that was restored."""
    if backup.kind not in KINDS or backup.tables or backup.is_bad or backup.engine != connections[using].vendor:
        return False
    if set(backup.migrations) != set(migrations_of(using)):
        return False
    if any(moment > backup.created_at for moment in _replaced()):
        return False
    if Changeset.objects.using(using).filter(pruned_at__gte=backup.created_at).exists():
        return False
    if backup.newest_changeset is None:
        return True
    # Elsewhere, another changeset has this number.
    newest = Changeset.objects.using(using).filter(pk=backup.newest_changeset)
    return newest.filter(created_at__lte=backup.created_at + _BEGINNING).exists()


def _replaced() -> list[datetime]:
    """Return when the live database was replaced by a backup; only what was live is backed up before."""
    return [
        datetime.fromisoformat(entry["at"])
        for entry in read_journal()
        if entry.get("result") == "restored" and entry.get("safety") and not entry.get("tables")
    ]


def _complete(backup: Backup, by_id: dict[str, Backup]) -> bool:
    seen: set[str] = set()
    while backup.base is not None and backup.id not in seen:
        if backup.base not in by_id or by_id[backup.base].is_bad:
            return False
        seen.add(backup.id)
        backup = by_id[backup.base]
    return backup.base is None
