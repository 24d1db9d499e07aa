"""The line of days: the last four weeks day by day, and before them the months that have backups."""

from datetime import UTC, datetime, timedelta

from apps.backups.catalogue.retention import Verdict
from apps.backups.pages.listing import Spot, days_of, months_of
from tests.backups.test_retention import made

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def verdict(days_old: int, *, kept: bool = True) -> Verdict:
    return Verdict(made(24 * days_old), kept, "")


def test_each_day_tells_what_is_kept_and_what_goes() -> None:
    days = days_of([verdict(0), verdict(0), verdict(3), verdict(3, kept=False)], now=NOW)

    assert len(days) == 28
    assert days[-1] == Spot("Tuesday 24 November", "24", kept=2, ending=0)
    assert days[-4] == Spot("Saturday 21 November", "21", kept=1, ending=1)
    assert days[-4].words == "1 kept, 1 to go with the next pruning"
    assert {day.words for day in days[:-4]} == {"no backup"}


def test_what_is_older_is_told_by_month_and_nothing_twice() -> None:
    verdicts = [verdict(27), verdict(28), verdict(60, kept=False)]

    months = months_of(verdicts, now=NOW)

    assert [(month.title, month.words) for month in months] == [
        ("September 2026", "0 kept, 1 to go with the next pruning"),
        ("October 2026", "1 kept"),
    ]
    assert sum(day.kept for day in days_of(verdicts, now=NOW)) == 1


def test_the_line_moves_with_the_day() -> None:
    assert days_of([verdict(0)], now=NOW + timedelta(days=1))[-2].kept == 1
