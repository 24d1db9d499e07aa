"""The retention as a line of days: what there is of each day and month, and what of it is kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import formats
from django.utils.timezone import localtime

from apps.backups.catalogue.retention import Verdict

DAYS = 28


@dataclass(frozen=True)
class Spot:
    """One day or month of the line: how many backups of it are kept, and how many go with the next pruning."""

    title: str
    short: str
    kept: int
    ending: int

    @property
    def words(self) -> str:
        """Say what there is of it."""
        if not self.kept and not self.ending:
            return "no backup"
        going = f", {self.ending} to go with the next pruning" if self.ending else ""
        return f"{self.kept} kept{going}"


def days_of(verdicts: Sequence[Verdict], *, now: datetime) -> list[Spot]:
    """Return the last four weeks, oldest day first."""
    today = localtime(now).date()
    days = [today - timedelta(days=ago) for ago in range(DAYS - 1, -1, -1)]
    return [_spot(verdicts, day, lambda at: at, "l j F", "j") for day in days]


def months_of(verdicts: Sequence[Verdict], *, now: datetime) -> list[Spot]:
    """Return the months before these weeks that have backups, oldest first."""
    first = localtime(now).date() - timedelta(days=DAYS - 1)
    older = [verdict for verdict in verdicts if _day(verdict) < first]
    months = sorted({_month(_day(verdict)) for verdict in older})
    return [_spot(older, month, _month, "F Y", "M") for month in months]


def _spot(verdicts: Sequence[Verdict], of: date, period: Callable[[date], date], title: str, short: str) -> Spot:
    matching = [verdict for verdict in verdicts if period(_day(verdict)) == of]
    kept = sum(verdict.kept for verdict in matching)
    return Spot(formats.date_format(of, title), formats.date_format(of, short), kept, len(matching) - kept)


def _day(verdict: Verdict) -> date:
    return localtime(verdict.backup.created_at).date()


def _month(day: date) -> date:
    return day.replace(day=1)
