"""Tallies: counts of findings at moments; the newest one is valid until a table changes."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Q
from django.utils import timezone

from apps.changesets.history.cache import recalled, remember, state_of_tables
from apps.changesets.models import Changeset
from apps.quality.coverage import link_coverage
from apps.quality.findings import count_accepted, count_findings
from apps.quality.models import AcceptedFinding, Tally
from apps.quality.rules import Rule, all_rules

KEEP_DAYS = 400
_REMEMBER_SECONDS = 600


@dataclass(frozen=True)
class Counted:
    """The numbers of findings and accepted findings by code of the rule, and the coverage of links.

    `coverage` is by label and field: `{"airports.airport.city": [68539, 73623]}`. A stale one is of an earlier state.
    """

    counts: dict[str, int]
    accepted: dict[str, int]
    coverage: dict[str, list[int]]
    at: datetime
    changeset_id: int | None
    stale: bool = False
    # Whether a tally already holds these counts for the trend.
    kept: bool = False


def count_now() -> Counted:
    """Count all findings and links now, and remember them for all processes; nothing is written."""
    stamp = _stamp()
    counted = Counted(
        counts=count_findings(),
        accepted=count_accepted(),
        coverage={f"{link.model}.{link.field}": [link.linked, link.total] for link in link_coverage()},
        at=timezone.now(),
        changeset_id=Changeset.objects.order_by("-pk").values_list("pk", flat=True).first(),
    )
    remember("quality", str(_number_of([stamp])), counted, seconds=_REMEMBER_SECONDS)
    return counted


def newest_counted() -> Counted:
    """Return the present counts, from the newest tally or the cache, or counted again."""
    known = known_counted()
    return known if known is not None and not known.stale else count_now()


def known_counted(state: str = "") -> Counted | None:
    """Return the present counts if they are known; a few short queries at most. `state` of the tables may be known.

    Where the tables moved since, the newest tally comes back as stale, or None where there is none.
    """
    stamp = _stamp(state)
    newest = Tally.objects.order_by("-pk").first()
    if newest is not None and newest.stamp == stamp:
        return _of(newest)
    remembered: Counted | None = recalled("quality", str(_number_of([stamp])))
    if remembered is not None:
        return remembered
    return _of(newest, stale=True) if newest is not None else None


def take_tally(*, anew: bool = True) -> Tally:
    """Count, and store a tally for the trend: one for each day and newest changeset; very old ones are deleted.

    With `anew=False` nothing is counted that is known of this state of the tables.
    """
    stamp = _stamp()
    counted = count_now() if anew else newest_counted()
    values = {"counts": counted.counts, "accepted": counted.accepted, "coverage": counted.coverage, "stamp": stamp}
    newest = Tally.objects.order_by("-pk").first()
    if newest and counted.kept:
        return newest
    if newest and newest.changeset_id == counted.changeset_id and _day(newest.taken_at) == _day(counted.at):
        Tally.objects.filter(pk=newest.pk).update(taken_at=counted.at, **values)
        newest.refresh_from_db()
        return newest
    Tally.objects.filter(taken_at__lt=counted.at - timedelta(days=KEEP_DAYS)).delete()
    return Tally.objects.create(taken_at=counted.at, changeset_id=counted.changeset_id, **values)


def earlier_tally(counted: Counted) -> Tally | None:
    """Return the newest tally of an earlier state than this: before its changeset, or of another day."""
    before = Tally.objects.filter(taken_at__lt=counted.at).order_by("-pk")
    if counted.changeset_id is not None:
        return before.exclude(changeset_id=counted.changeset_id).select_related("changeset").first()
    return before.first()


def counts_around(changeset_id: int) -> dict[str, dict[str, int]] | None:
    """Return the number of findings of each rule before and after a changeset (`today`, `then`), as they were counted.

    None where they were not counted right after it, or not before it.
    """
    tallies = Tally.objects.order_by("-pk")
    after = tallies.filter(changeset_id=changeset_id).first()
    before = tallies.filter(changeset_id__lt=changeset_id).first()
    if after is None or before is None:
        return None
    return {
        code: {"today": before.counts[code], "then": number}
        for code, number in after.counts.items()
        if code in before.counts
    }


def _of(tally: Tally, *, stale: bool = False) -> Counted:
    known = {rule.code for rule in all_rules()}
    return Counted(
        {code: number for code, number in tally.counts.items() if code in known},
        tally.accepted,
        tally.coverage,
        tally.taken_at,
        tally.changeset_id,
        stale,
        kept=not stale,
    )


def _stamp(state: str = "") -> str:
    """Return a text that changes when a table, an acceptance, a rule or the day does."""
    parts: list[Any] = [timezone.localdate().isoformat(), state or state_of_tables()]
    known = AcceptedFinding.objects.aggregate(newest=Max("pk"), withdrawn=Max("withdrawn_at"))
    parts += [known["newest"], known["withdrawn"], len(all_rules()), _number_of(map(_of_rule, all_rules()))]
    return "|".join(map(str, parts))[:300]


def _of_rule(rule: Rule) -> str:
    """Return the text of a rule, so that a changed rule is counted again."""
    broken = rule.broken
    return f"{rule.code} {broken if isinstance(broken, Q) else getattr(broken, '__qualname__', '')}"


def _number_of(words: Iterable[str]) -> int:
    return zlib.crc32("\n".join(words).encode())


def _day(moment: datetime) -> str:
    return timezone.localtime(moment).date().isoformat()
