"""Points in time of a tracked table: what it held on a date, or before or after a changeset.

A moment becomes one number for each table: the last history_id that had been written by then. History ids follow the
order of writing, so rows with equal dates are told apart. Dates almost do: a changeset's rows carry the moment at which
it was opened, so of two transactions that overlap, the later rows may carry the earlier date. A date is therefore taken
to be the last row dated at or before it, and all that was written before that row counts: what is shown is the table
as it was written up to a row, and never a mixture. Large changesets lock the tables and overlap with nobody.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from django.db import models
from django.db.models import Max, OuterRef, Subquery
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from apps.changesets.errors import UnknownChangeset, UnreadableMoment
from apps.changesets.history.stable_key import stable_key_of
from apps.changesets.history_models import HistoryRow
from apps.changesets.models import Changeset
from apps.changesets.numbers import whole_number
from apps.changesets.tracking import Tracked

BEFORE, AFTER = "before", "after"


@dataclass(frozen=True)
class Moment:
    """A date, or the state before or after a changeset; without either, now."""

    date: datetime | None = None
    changeset: int | None = None
    side: str = AFTER

    @property
    def is_now(self) -> bool:
        return self.date is None and self.changeset is None

    def __str__(self) -> str:
        """The form that addresses carry, and that `read_moment` reads."""
        if self.changeset is not None:
            return f"{self.side}-{self.changeset}"
        return "now" if self.date is None else timezone.localtime(self.date).replace(tzinfo=None).isoformat()


NOW = Moment()


def read_moment(text: str) -> Moment:
    """Return the moment that a text means: `2026-04-01`, `2026-04-01T12:30`, `before-41`, `after-41` or `now`.

    A day without a time is its end. Raises UnreadableMoment, and UnknownChangeset for a number that is none.
    """
    text = text.strip()
    side, _, number = text.partition("-")
    if text in ("", "now"):
        return NOW
    if side in (BEFORE, AFTER):
        pk = whole_number(number.removeprefix("#"))
        if pk is None:
            raise UnreadableMoment(f"“{number[:40]}” is not the number of a changeset.")
        if not Changeset.objects.filter(pk=pk).exists():
            raise UnknownChangeset(f"There is no changeset #{pk}.")
        return Moment(changeset=pk, side=side)
    return Moment(date=_date(text))


def last_row(tracked: Tracked, moment: Moment, *, using: str = "default") -> int:
    """Return the history_id of the last row that the table's history had by the moment; 0 before the first one."""
    history = tracked.history_model._base_manager.using(using).order_by()
    if moment.changeset is not None:
        return _last_row_around(history, moment)
    if moment.date is not None:
        history = history.filter(history_date__lte=moment.date)
    return history.order_by("-history_id").values_list("history_id", flat=True).first() or 0


def state_at(
    tracked: Tracked, moment: Moment | int, *, keys: Collection[Any] | None = None, using: str = "default"
) -> models.QuerySet[HistoryRow]:
    """Return the history rows that were in force at the moment, one for each object then there, ordered by key.

    A number means the history_id up to which to look, as `last_row` gives it. `keys` leaves only objects of these
    primary keys. The rows can be filtered, counted and sliced in the database.
    """
    last = moment if isinstance(moment, int) else last_row(tracked, moment, using=using)
    pk = tracked.model._meta.pk.attname
    history = tracked.history_model._base_manager.using(using).filter(history_id__lte=last)
    # Row by row through the index by object and history_id: the first page is there at once, and a search looks only
    # at the rows it finds. Grouping all of history first takes both databases longer.
    newest = history.filter(**{pk: OuterRef(pk)}).order_by("-history_id").values("history_id")[:1]
    rows = history if keys is None else history.filter(**{f"{pk}__in": keys})
    return rows.filter(history_id=Subquery(newest)).exclude(history_type="-").order_by(pk)


def version_at(tracked: Tracked, pk: Any, moment: Moment, *, like: Any = None, using: str = "default") -> Any:
    """Return the history row of an object that was in force at the moment, or None where the object was absent.

    The object is the one that `pk` meant last, or the one of the history row `like`; where it had another key then, it
    is found by its stable key.
    """
    attname = tracked.model._meta.pk.attname
    history = tracked.history_model._base_manager.using(using).order_by("-history_id")
    under_key = history.filter(**{attname: pk})
    like = like or under_key.first()
    if like is None:
        return None
    written = {"history_id__lte": last_row(tracked, moment, using=using)}
    row = under_key.filter(**written).first()
    stable = stable_key_of(tracked, like)
    field = tracked.stable_field if stable is not None else None
    if field is not None and (row is None or row.history_type == "-" or stable_key_of(tracked, row) != stable):
        # It had another key then, or was not there: no index helps, but one such search is quick enough.
        row = history.filter(**{field.attname: stable}, **written).first()
    return row if row is not None and row.history_type != "-" else None


def _last_row_around(history: models.QuerySet[HistoryRow], moment: Moment) -> int:
    own = history.filter(changeset_id=moment.changeset)
    ends = own.aggregate(first=models.Min("history_id"), last=Max("history_id"))
    if ends["first"] is not None:
        return int(ends["last"] if moment.side == AFTER else ends["first"] - 1)
    # It did not touch this table: the table is as the changeset before it left it.
    earlier = history.filter(changeset_id__lt=moment.changeset).aggregate(newest=Max("changeset_id"))["newest"]
    return history.filter(changeset_id=earlier).aggregate(last=Max("history_id"))["last"] or 0


def _date(text: str) -> datetime:
    try:
        day = parse_date(text)
        read = datetime.combine(day, time.max) if day else parse_datetime(text)
    except ValueError:
        read = None
    if read is None:
        raise UnreadableMoment(f"“{text[:40]}” is not a date: write it as 2026-04-01 or 2026-04-01T12:30.")
    try:
        return read if timezone.is_aware(read) else timezone.make_aware(read)
    except (OverflowError, ValueError) as error:
        raise UnreadableMoment(f"“{text[:40]}” is too far away.") from error
