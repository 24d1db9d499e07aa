"""Which backups are kept and which have expired: a rule over their manifests that touches no file.

Kept are all of the last day, and of each kind the newest of each of 7 days, 4 weeks and 12 months. Automatic backups
are kept for a day, and the newest few; increments for a day, and while their chain is the newest. A label keeps a
backup forever, and the newest verified one always stays.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.utils.timezone import localtime

from apps.backups.catalogue.manifests import Backup
from apps.backups.kinds import AUTOMATIC, INCREMENTAL

DAY = timedelta(days=1)
AUTOMATIC_AT_LEAST = 3
# How many days, weeks and months keep a backup, the name of the step, and the name of one such period.
_STEPS: tuple[tuple[int, str, Callable[[datetime], str]], ...] = (
    (7, "day", "{:%Y-%m-%d}".format),
    (4, "week", "{:%G week %V}".format),
    (12, "month", "{:%Y-%m}".format),
)


@dataclass(frozen=True)
class Verdict:
    """Whether a backup is kept, and why."""

    backup: Backup
    kept: bool
    why: str


def judge(backups: Sequence[Backup], *, now: datetime) -> list[Verdict]:
    """Return a verdict on each backup, newest first; `now` is aware, and days are those of the console's time zone."""
    ordered = sorted(backups, key=lambda backup: (backup.created_at, backup.id), reverse=True)
    reasons: dict[str, str] = {}
    for backup, why in _claims(ordered, now):
        reasons.setdefault(backup.id, why)
    for backup, why in _foundations([backup for backup in ordered if backup.id in reasons], ordered):
        reasons.setdefault(backup.id, why)
    return [Verdict(backup, backup.id in reasons, reasons.get(backup.id, _ended(backup))) for backup in ordered]


def _claims(ordered: list[Backup], now: datetime) -> Iterable[tuple[Backup, str]]:
    """Yield the backups that are kept for their own sake, with the reason; the strongest reason first."""
    proven = next((backup for backup in ordered if backup.verified_at and not backup.tables), None)
    if proven:
        yield proven, "the newest one that is verified"
    for backup in ordered:
        if backup.label:
            yield backup, "it has a label"
        if backup.created_at > now - DAY:
            yield backup, "made within a day"
        if backup.expires_at and backup.expires_at > now:
            yield backup, f"to be kept until {localtime(backup.expires_at):%Y-%m-%d}"
    sound = [backup for backup in ordered if not backup.is_bad]
    for backup in [backup for backup in sound if backup.kind in AUTOMATIC][:AUTOMATIC_AT_LEAST]:
        yield backup, f"one of the newest {AUTOMATIC_AT_LEAST} made automatically"
    yield from _increments(ordered)
    # A backup that did not restore does not count.
    asked_for = [backup for backup in sound if backup.kind not in AUTOMATIC and backup.kind != INCREMENTAL]
    for _, series in groupby(sorted(asked_for, key=_series), key=_series):
        yield from _thinned(sorted(series, key=lambda backup: backup.created_at, reverse=True))


def _series(backup: Backup) -> tuple[str, tuple[str, ...]]:
    return backup.kind, backup.tables


def _increments(ordered: list[Backup]) -> Iterable[tuple[Backup, str]]:
    """Yield the increments of the newest chain, with the reason."""
    by_id = {backup.id: backup for backup in ordered}
    chains = [(backup, _under(backup, by_id)) for backup in ordered if backup.kind == INCREMENTAL]
    yield from ((backup, "of the newest chain") for backup, under in chains if under[-1:] == chains[0][1][-1:])


def _thinned(series: list[Backup]) -> Iterable[tuple[Backup, str]]:
    """Yield the newest backup of each day, week and month, with the reason; `series` is newest first."""
    for number, step, of in _STEPS:
        seen: list[str] = []
        for backup in series:
            name = of(localtime(backup.created_at))
            if name not in seen and len(seen) < number:
                seen.append(name)
                yield backup, f"the {step}ly one of {name}" if step != "day" else f"the daily one of {name}"


def _foundations(kept: list[Backup], ordered: list[Backup]) -> Iterable[tuple[Backup, str]]:
    """Yield the backups under kept increments, down to the full one, with the reason."""
    by_id = {backup.id: backup for backup in ordered}
    for backup in kept:
        for name in _under(backup, by_id):
            if name in by_id:
                yield by_id[name], f"needed to restore {backup.id}"


def _under(backup: Backup, by_id: Mapping[str, Backup]) -> list[str]:
    """Return the names of the backups under this one, the full one last; missing ones are named too."""
    names: list[str] = []
    above: Backup | None = backup
    while above is not None and above.base is not None and above.base not in names:
        names.append(above.base)
        above = by_id.get(above.base)
    return names


def _ended(backup: Backup) -> str:
    if backup.is_bad:
        return "it did not restore"
    if backup.kind in AUTOMATIC:
        return "made automatically, more than a day ago"
    if backup.kind == INCREMENTAL:
        return "there is a newer chain"
    return "a newer one stands for its day, week and month"
