"""Moments as people type them on a command line."""

from datetime import UTC, datetime, time

from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime


def read_time(text: str, *, option: str) -> datetime:
    """Return the moment that `text` names, in the configured zone unless it names one; raises CommandError.

    A day without a time is its beginning. `option` is what the text was given for.
    """
    try:
        moment = parse_datetime(text.strip())
        if moment is None:
            day = parse_date(text.strip())
            moment = datetime.combine(day, time.min) if day else None
        if moment is not None:
            moment = timezone.make_aware(moment) if timezone.is_naive(moment) else moment
            # At the edges of the calendar the zone may have no such time, and it could not be told.
            words_of(moment)
            return moment
    except (ValueError, OverflowError):
        pass
    raise CommandError(f'{option} {text!r} is no moment: write it like "2026-11-14 10:00:00".')


def words_of(moment: datetime) -> str:
    """Return a moment in the configured zone, with its offset: `2026-10-25 02:30:00+02:00`."""
    # By UTC, since a time that the clock skips would stay as it is.
    return timezone.localtime(moment.astimezone(UTC)).isoformat(sep=" ", timespec="seconds")


def time_taken(text: str, *, option: str) -> str:
    """Return the sentence which moment `read_time` took, also where the clock shows the time twice or never."""
    moment = read_time(text, option=option)
    zone, again = timezone.get_current_timezone(), moment.replace(fold=1)
    remark = ""
    if words_of(moment)[:19] != moment.isoformat(sep=" ", timespec="seconds")[:19] and moment.tzinfo == zone:
        remark = "; the clock skips the time given"
    elif moment.utcoffset() != again.utcoffset():
        remark = f"; the clock shows that time again as {words_of(again)}"
    return f"{option} is taken as {words_of(moment)}{remark}."
