"""Restoring up to a changeset or a moment: which backups, in which order, and where to cut the last one."""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from apps.backups.catalogue.manifests import Backup, chain_of
from apps.backups.errors import ChainBroken, NotReached
from apps.backups.kinds import DATA, FULL, INCREMENTAL
from apps.backups.portable.cutting import Upto
from apps.changesets.errors import UnreadableMoment
from apps.changesets.history.as_of import read_moment
from apps.changesets.text import whole_number

_WHOLE = (FULL, DATA)


def reach_of(backup: Backup, backups: Iterable[Backup]) -> Backup | None:
    """Return the newest increment whose chain holds this backup; None when there is none."""
    by_id, reached = {known.id: known for known in backups}, None
    for increment in sorted(by_id.values(), key=lambda known: known.created_at):
        if increment.kind == INCREMENTAL:
            with suppress(ChainBroken):
                reached = increment if backup in chain_of(increment, by_id.get) else reached
    return reached


def read_upto(text: str) -> Upto:
    """Return the changeset or moment of `41`, `#41`, `2026-04-01` (its end) or `2026-04-01T12:30`.

    Raises UnreadableMoment.
    """
    number = whole_number(text.strip().removeprefix("#"))
    if number is not None:
        return number
    neither = UnreadableMoment(f"“{text[:40]}” is neither a changeset nor a time: write 41, or 2026-04-01T12:30.")
    try:
        moment = read_moment(text)
    except UnreadableMoment as error:
        raise neither from error
    if moment.date is None:
        raise neither
    return moment.date


def in_words(upto: Upto) -> str:
    """Return a changeset or moment in words."""
    return f"changeset #{upto}" if isinstance(upto, int) else f"{upto:%Y-%m-%d %H:%M:%S %Z}".strip()


def plan_restore(backups: Sequence[Backup], upto: Upto, *, through: Backup | None = None) -> list[Backup]:
    """Return the chain of backups that reaches a changeset or moment; its last one is replayed only up to there.

    With `through`, that backup is in the chain. Raises NotReached when no backup reaches so far, and ChainBroken when
    one does but a backup under it is missing.
    """
    by_id = {backup.id: backup for backup in backups}
    broken: ChainBroken | None = None
    by_number = isinstance(upto, int)
    for backup in sorted(backups, key=lambda known: (_holds(known, upto), known.created_at), reverse=by_number):
        if backup.tables or not _reaches(backup, upto):
            continue
        try:
            chain = chain_of(backup, by_id.get)
        except ChainBroken as error:
            broken = broken or error
            continue
        if through is not None and through not in chain:
            continue
        if len(chain) == 1 or _begins_before(backup, chain[-2], upto):
            return chain
    raise broken or _not_reached(backups, upto)


def _reaches(backup: Backup, upto: Upto) -> bool:
    if backup.kind in _WHOLE:
        # A whole backup cannot be cut.
        return backup.newest_changeset == upto
    if backup.kind != INCREMENTAL:
        return False
    return (backup.newest_changeset or 0) >= upto if isinstance(upto, int) else backup.created_at >= upto


def _begins_before(increment: Backup, base: Backup, upto: Upto) -> bool:
    return (increment.since_changeset or 0) <= upto if isinstance(upto, int) else base.created_at <= upto


def _holds(backup: Backup, upto: Upto) -> bool:
    """Whether the changeset itself is in an increment, which can be cut where it was committed."""
    if backup.kind != INCREMENTAL or not isinstance(upto, int):
        return False
    return (backup.since_changeset or 0) < upto <= (backup.newest_changeset or 0)


def _not_reached(backups: Sequence[Backup], upto: Upto) -> NotReached:
    if isinstance(upto, int):
        ends = [f"#{number}" for number in sorted(backup.newest_changeset or 0 for backup in backups)]
    else:
        ends = [f"{moment:%Y-%m-%d %H:%M:%S}" for moment in sorted(backup.created_at for backup in backups)]
    reach = f"they end at {ends[0]} to {ends[-1]}" if ends else "there is none"
    return NotReached(
        f"No incremental backup reaches {in_words(upto)} from a backup before it ({reach}): nothing was restored. "
        "Choose another time, or make an incremental backup now with `manage.py backup create --kind incremental`."
    )
