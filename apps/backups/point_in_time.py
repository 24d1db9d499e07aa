"""Going back to a changeset or a moment: which backups to restore, in which order, and how far the last one."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from apps.backups.catalogue import Backup
from apps.backups.errors import ChainBroken, NotReached
from apps.backups.portable.cutting import Upto
from apps.backups.portable.replaying import replay

__all__ = ["Upto", "chain_to", "plan_restore", "replay"]

_WHOLE = ("full", "data")


def chain_to(backup: Backup, backups: Iterable[Backup]) -> list[Backup]:
    """Return what restoring a backup takes, in order, the full one first; raises ChainBroken where one is missing."""
    by_id, chain = {each.id: each for each in backups}, [backup]
    while (base := chain[0].base) is not None:
        if base not in by_id or by_id[base] in chain:
            raise ChainBroken(
                f"The incremental backup {chain[0].id} goes on from {base}, which is not there (any more): nothing was "
                "restored. Bring it back from a copy, or restore a full backup."
            )
        chain.insert(0, by_id[base])
    return chain


def plan_restore(backups: Sequence[Backup], upto: Upto) -> list[Backup]:
    """Return the chain of backups that reaches a changeset or moment; its last one is replayed only up to there.

    Raises NotReached where none does, and ChainBroken where one does and something under it is missing.
    """
    broken: ChainBroken | None = None
    for backup in sorted(backups, key=lambda each: each.created_at, reverse=not isinstance(upto, datetime)):
        if backup.tables or not _reaches(backup, upto):
            continue
        try:
            chain = chain_to(backup, backups)
        except ChainBroken as error:
            broken = broken or error
            continue
        if len(chain) == 1 or _begins_before(chain[-2], upto):
            return chain
    raise broken or _not_reached(backups, upto)


def _reaches(backup: Backup, upto: Upto) -> bool:
    if backup.kind in _WHOLE:
        # It cannot be cut.
        return backup.newest_changeset == upto
    if backup.kind != "incremental":
        return False
    return (backup.newest_changeset or 0) >= upto if isinstance(upto, int) else backup.created_at >= upto


def _begins_before(base: Backup, upto: Upto) -> bool:
    return (base.newest_changeset or 0) <= upto if isinstance(upto, int) else base.created_at <= upto


def _not_reached(backups: Sequence[Backup], upto: Upto) -> NotReached:
    if isinstance(upto, int):
        wanted, ends = f"changeset #{upto}", [f"#{backup.newest_changeset or 0}" for backup in backups]
    else:
        wanted, ends = moment_in_words(upto), [f"{backup.created_at:%Y-%m-%d %H:%M:%S}" for backup in backups]
    reach = f"they end at {ends[-1]} to {ends[0]}" if ends else "there is none"
    return NotReached(
        f"No incremental backup reaches {wanted} from a backup before it ({reach}): nothing was restored. Choose "
        "another time, or make an incremental backup now with `manage.py backup create --kind incremental`."
    )


def moment_in_words(upto: datetime) -> str:
    """Return a moment as people read it."""
    return f"{upto:%Y-%m-%d %H:%M:%S %Z}".strip()
