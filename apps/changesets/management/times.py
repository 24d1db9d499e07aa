"""Moments as people type them on a command line."""

from datetime import datetime, time

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
            timezone.localtime(moment)
            return moment
    except (ValueError, OverflowError):
        pass
    raise CommandError(f'{option} {text!r} is no moment: write it like "2026-11-14 10:00:00".')
