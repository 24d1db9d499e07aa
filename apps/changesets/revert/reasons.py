"""Why an object is kept: which fields changed since, their values, and the changeset that changed them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

from django.db import models

from apps.changesets.fields import AnyField, target_of
from apps.changesets.history.values import in_words, names_of, value_label
from apps.changesets.history.words import person
from apps.changesets.models import Changeset
from apps.changesets.revert import blocking, working
from apps.changesets.revert.verdicts import Bucket, KeptField, Verdict
from apps.changesets.tracking import Tracked

MOVED_WORDS = "changed after the plan was shown"
WORDS = {
    working.CHANGED_SINCE: "created by the changeset and changed since",
    working.DELETED_SINCE: "deleted since",
    working.THERE_AGAIN: "deleted by the changeset and added again since",
    blocking.MOVED: MOVED_WORDS,
}
LONGEST = 200
WHOLE = "*"


@dataclass(frozen=True)
class Row:
    """A row of a working copy as it is listed: the object, notes about what is left alone, whether it is written."""

    pk: str
    label: str
    kept: str
    code: str
    cause: str | None
    written: bool = False


@dataclass(frozen=True)
class Note:
    """One entry of `w_kept`: a column, or the whole object, and the history rows before and after the changeset."""

    column: str
    before: int | None
    after: int | None


def explain_kept(tracked: Tracked, rows: Sequence[Row], *, chosen: Collection[int]) -> list[Verdict]:
    """Return the verdicts of kept objects, each with its fields and the changeset that really changed them last.

    The changesets that are reverted (`chosen`) are never named as what changed an object since.
    """
    notes = {row.pk: _notes(row.kept) for row in rows}
    ids = {side for of_row in notes.values() for note in of_row for side in (note.before, note.after) if side}
    history = tracked.history_model._base_manager.using("default")
    sides = history.in_bulk(ids - {None})
    chains = chains_of(tracked, [row.pk for row in rows])
    found_of = []
    for row in rows:
        chain = chains.get(row.pk, [])
        changed = [change for note in notes[row.pk] for change in _fields(tracked, note, sides, chain, chosen)]
        # What follows from other fields is no news beside them.
        found_of.append([change for change in changed if change[0].editable] or changed)
    labels = _Labels([change for changed in found_of for change in changed])
    return [
        _kept_verdict(tracked, row, chains.get(row.pk, []), changed, chosen, labels)
        for row, changed in zip(rows, found_of, strict=True)
    ]


def chains_of(tracked: Tracked, keys: Iterable[str]) -> dict[str, list[Any]]:
    """Return the history rows of each primary key, oldest first, in one query."""
    pk = tracked.model._meta.pk.attname
    chains: dict[str, list[Any]] = {}
    history = tracked.history_model._base_manager.using("default")
    for row in history.filter(**{f"{pk}__in": set(keys)}).order_by("history_id"):
        chains.setdefault(str(getattr(row, pk)), []).append(row)
    return chains


def last_to_change(chain: Sequence[Any], attnames: Sequence[str], *, chosen: Collection[int]) -> Any | None:
    """Return the newest of the history rows that gave one of the attributes another value, or that made the object."""

    def values(row: Any) -> list[Any]:
        return [getattr(row, name) for name in attnames]

    for before, after in reversed(list(pairwise([None, *chain]))):
        changes = before is None or before.history_type == "-" or values(before) != values(after)
        if changes and after.changeset_id not in chosen:
            return after
    return None


def name_changesets(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return the verdicts with the changesets that they and their causes name put into words; one query."""
    ids = {verdict.since for verdict in verdicts} | {cause.since for verdict in verdicts for cause in verdict.causes}
    changesets = Changeset.objects.using("default").select_related("actor").in_bulk(ids - {None})
    words = {pk: _in_words(changeset) for pk, changeset in changesets.items()}
    return [
        replace(
            verdict,
            by=words.get(verdict.since or 0, ""),
            causes=tuple(replace(cause, by=words.get(cause.since or 0, "")) for cause in verdict.causes),
        )
        for verdict in verdicts
    ]


def _in_words(changeset: Changeset) -> str:
    named = changeset.actor_id or changeset.actor_name
    return f"{changeset} by {person(changeset)}" if named else str(changeset)


def _notes(kept: str) -> list[Note]:
    parts = [entry.split(":") for entry in kept.split()]
    return [
        Note(column, int(before) if before else None, int(after) if after else None) for column, before, after in parts
    ]


class ChangedSince(NamedTuple):
    """A field that was changed since: the rows before and after what is to be reverted, and the row that changed it."""

    field: AnyField
    before: Any
    after: Any
    now: Any


def _fields(
    tracked: Tracked, note: Note, sides: dict[int, Any], chain: Sequence[Any], chosen: Collection[int]
) -> list[ChangedSince]:
    """Return field, the row before, the row after, and the row that changed the field since, for what a note says."""
    after, before = sides.get(note.after or 0), sides.get(note.before or 0)
    if after is None:
        return []
    columns = tracked.compared if note.column == WHOLE else [note.column]
    later = [after, *(row for row in chain if row.history_id > after.history_id)]
    changes = []
    for column in columns:
        field = tracked.fields_by_column[column]
        row = last_to_change(later, [field.attname], chosen={*chosen, after.changeset_id})
        if row is not None and getattr(row, field.attname) != getattr(after, field.attname):
            changes.append(ChangedSince(field, before, after, row))
    return changes


def _kept_verdict(
    tracked: Tracked,
    row: Row,
    chain: Sequence[Any],
    changes: list[ChangedSince],
    chosen: Collection[int],
    labels: "_Labels",
) -> Verdict:
    fields = tuple(
        KeptField(
            name=field.name,
            label=str(field.verbose_name),
            before="" if before is None else labels.text(field, getattr(before, field.attname)),
            left=labels.text(field, getattr(after, field.attname)),
            now=labels.text(field, getattr(now, field.attname)),
            since=now.changeset_id,
        )
        for field, before, after, now in changes
    )
    why = WORDS.get(row.code) or f"{', '.join(sorted(field.label for field in fields)) or 'values'} changed since"
    later = [history_row for history_row in chain if history_row.changeset_id not in chosen]
    last = max(
        (history_row.now for history_row in changes),
        key=lambda history_row: history_row.history_id,
        default=later[-1] if later else None,
    )
    since = None if last is None else last.changeset_id
    return Verdict(tracked.label, row.pk, row.label, Bucket.KEPT, why, since, fields=fields, partly=row.written)


class _Labels:
    """Values as people read them; linked objects are looked up once, in one query for each model."""

    def __init__(self, changes: Iterable[tuple[AnyField, Any, Any, Any]]):
        keys: dict[type[models.Model], set[Any]] = {}
        for field, *rows in changes:
            if field.is_relation:
                values = {getattr(row, field.attname) for row in rows if row is not None}
                keys.setdefault(target_of(field), set()).update(values - {None})
        self.names = {model: names_of(model, wanted) for model, wanted in keys.items()}

    def text(self, field: AnyField, value: Any) -> str:
        names = self.names.get(target_of(field)) if field.is_relation else None
        text = in_words(value_label(field, value, names), empty="nothing")
        return text if len(text) <= LONGEST else text[:LONGEST] + "…"
