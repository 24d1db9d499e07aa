"""Points in time of a tracked table: what it held on a date, or before or after a changeset.

A moment becomes one number for each table: the last history_id that had been written by then. History ids follow the
order of writing, so rows with equal dates are told apart. Dates almost do: a changeset's rows carry the moment at which
it was opened, so of two transactions that overlap, the later rows may carry the earlier date. A date is therefore taken
to be the last row dated at or before it, and all that was written before that row counts: what is shown is the table
as it was written up to a row, and never a mixture. Large changesets lock the tables and overlap with nobody.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from itertools import chain, islice
from typing import Any

from django.db import models
from django.db.models import Max, OuterRef, Subquery
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from apps.changesets.errors import UnknownChangeset, UnreadableMoment
from apps.changesets.fields import AnyField, target_of
from apps.changesets.history.stable_key import stable_key_of
from apps.changesets.history.values import names_of, value_label
from apps.changesets.history_models import HistoryRow
from apps.changesets.models import Changeset
from apps.changesets.rights import Sees, all_seen
from apps.changesets.text import csv_parts, whole_number
from apps.changesets.tracking import Tracked, tracked_for

BEFORE, AFTER = "before", "after"
CHUNK = 2000


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


def last_row(tracked: Tracked, moment: Moment) -> int:
    """Return the history_id of the last row that the table's history had by the moment; 0 before the first one."""
    history = tracked.history_model._base_manager.using("default").order_by()
    if moment.changeset is not None:
        return _last_row_around(history, moment)
    if moment.date is not None:
        history = history.filter(history_date__lte=moment.date)
    return history.order_by("-history_id").values_list("history_id", flat=True).first() or 0


def state_at(
    tracked: Tracked,
    moment: Moment | int,
    *,
    keys: Collection[Any] | None = None,
) -> models.QuerySet[HistoryRow]:
    """Return the history rows that were in force at the moment, one for each object then there, ordered by key.

    A number means the history_id up to which to look, as `last_row` gives it. `keys` leaves only objects of these
    primary keys. The rows can be filtered, counted and sliced in the database.
    """
    last = moment if isinstance(moment, int) else last_row(tracked, moment)
    pk = tracked.model._meta.pk.attname
    history = tracked.history_model._base_manager.using("default").filter(history_id__lte=last)
    # Row by row through the index by object and history_id: the first page is there at once, and a search looks only
    # at the rows it finds. Grouping all of history first takes both databases longer.
    newest = history.filter(**{pk: OuterRef(pk)}).order_by("-history_id").values("history_id")[:1]
    rows = history if keys is None else history.filter(**{f"{pk}__in": keys})
    return rows.filter(history_id=Subquery(newest)).exclude(history_type="-").order_by(pk)


def version_at(
    tracked: Tracked,
    pk: Any,
    moment: Moment,
    *,
    like: Any = None,
) -> Any:
    """Return the history row of an object that was in force at the moment, or None where the object was absent.

    The object is the one that `pk` meant last, or the one of the history row `like`; where it had another key then, it
    is found by its stable key.
    """
    attname = tracked.model._meta.pk.attname
    history = tracked.history_model._base_manager.using("default").order_by("-history_id")
    under_key = history.filter(**{attname: pk})
    like = like or under_key.first()
    if like is None:
        return None
    written = {"history_id__lte": last_row(tracked, moment)}
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


def fields_shown(tracked: Tracked) -> list[AnyField]:
    """Return the fields that tell about an object: the key, and what people may set."""
    return [field for field in tracked.model._meta.concrete_fields if field.primary_key or field.editable]


def values_then(
    tracked: Tracked, rows: Sequence[Any], moment: Moment, *, sees: Sees = all_seen
) -> list[dict[str, Any]]:
    """Return for each history row its values by field name; the queries are one or two for each link field."""
    fields = fields_shown(tracked)
    linked = [field for field in fields if field.is_relation and sees(target_of(field))]
    labels = {field: _labels(field, rows, moment) for field in linked}
    return [
        {field.name: value_label(field, getattr(row, field.attname), labels.get(field)) for field in fields}
        for row in rows
    ]


def csv_lines(tracked: Tracked, moment: Moment, *, sees: Sees = all_seen) -> Iterator[str]:
    """Yield the table as it was at the moment as CSV, many lines at a time, safe for spreadsheets."""
    names = [field.name for field in fields_shown(tracked)]
    # Reading the last upstream values of each row would take as long as all the rest.
    columns = ("history_id", *(field.attname for field in fields_shown(tracked)))
    state = state_at(tracked, last_row(tracked, moment))
    rows = state.only(*columns).iterator(chunk_size=CHUNK)
    chunks = iter(lambda: list(islice(rows, CHUNK)), [])
    then = (values for chunk in chunks for values in values_then(tracked, chunk, moment, sees=sees))
    return csv_parts(chain([names], ([values[name] for name in names] for values in then)), ending="\r\n")


def _labels(field: AnyField, rows: Sequence[Any], moment: Moment) -> dict[Any, str]:
    """Return what the targets of a link field were called at the moment; one gone by then has no label."""
    keys = {getattr(row, field.attname) for row in rows} - {None}
    try:
        target = tracked_for(target_of(field))
    except LookupError:
        return names_of(target_of(field), keys)
    if not keys:
        return {}
    pk = target.model._meta.pk.attname
    rows_then = state_at(target, last_row(target, moment), keys=keys)
    return {getattr(row, pk): str(row.instance) for row in rows_then}
