"""Cutting an increment: rows of later changesets, or of later moments, are left out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.apps import apps

from apps.backups.errors import NotReached
from apps.backups.portable.base import Heading
from apps.backups.portable.reading import Numbered, read_lines
from apps.changesets.models import Changeset, ChangesetTransaction, Status

# A changeset, the last one that was committed of those restored; or a moment, by which all of them had finished.
Upto = int | datetime

_CHANGESETS, _TRANSACTIONS = Changeset._meta.label_lower, ChangesetTransaction._meta.label_lower
_ANY_TIME = datetime.min.replace(tzinfo=UTC)


@dataclass
class Cut:
    """The changesets to drop, the moment from which on other lines are dropped, and the changed statuses."""

    dropped: frozenset[int]
    before: datetime | None
    statuses: dict[int, str] = field(default_factory=dict)
    _links: dict[str, dict[str, bool]] = field(default_factory=dict)

    def keep(self, lines: Iterator[Numbered]) -> Iterator[Numbered]:
        """Yield the lines to restore, with links to dropped changesets cleared."""
        for number, line in lines:
            label = line.get("model")
            if label == _CHANGESETS and line["pk"] in self.dropped:
                continue
            if "touched" in line and self.before and not _earlier(line["fields"], self.before):
                continue
            if label == _CHANGESETS:
                line["fields"]["status"] = self.statuses.get(line["pk"], line["fields"]["status"])
            elif label and not self._clear_links(label, line["fields"]):
                continue
            yield number, line

    def _clear_links(self, label: str, values: dict[str, Any]) -> bool:
        """Clear the links to dropped changesets; return whether the line can do without: a row of history cannot."""
        for name, may_be_empty in self._links_of(label).items():
            if values.get(name) in self.dropped:
                if not may_be_empty:
                    return False
                values[name] = None
        return True

    def _links_of(self, label: str) -> dict[str, bool]:
        """Return the fields that name a changeset, and whether each may be empty."""
        if label not in self._links:
            fields = apps.get_model(label)._meta.concrete_fields
            self._links[label] = {field.name: field.null for field in fields if field.related_model is Changeset}
        return self._links[label]


def _earlier(values: dict[str, Any], moment: datetime) -> bool:
    """Whether all times among the values are before the moment."""
    return all(datetime.fromisoformat(value) < moment for value in values.values() if isinstance(value, str))


@dataclass(frozen=True)
class _Recorded:
    """The part of a changeset that the cut needs."""

    begun: datetime
    ended: datetime
    status: str
    whole: bool
    reverts: tuple[int, ...]


def cut_of(source: Path, heading: Heading, upto: Upto) -> Cut:
    """Return where to cut an increment; raises NotReached when that is before its beginning."""
    changesets: dict[int, _Recorded] = {}
    noted: set[int] = set()
    for _, line in read_lines(source):
        if line.get("model") == _CHANGESETS:
            changesets[line["pk"]] = _recorded(line["fields"])
        elif line.get("model") == _TRANSACTIONS:
            noted.add(line["fields"]["changeset"])
    if isinstance(upto, int):
        late = _committed_after(upto, changesets, noted)
    else:
        late = {pk for pk, changeset in changesets.items() if changeset.ended > upto}
    # The base has those whole. On PostgreSQL some with lower numbers than its newest may have ended later.
    if any(pk <= heading.after for pk in late):
        when = f"changeset #{upto}" if isinstance(upto, int) else f"{upto:%Y-%m-%d %H:%M:%S %Z}".strip()
        raise NotReached(
            f"{source.name} begins after {when}: nothing was restored. Choose an earlier backup, or a later time."
        )
    before = min((changesets[pk].begun for pk in late), default=None) if isinstance(upto, int) else upto
    return Cut(frozenset(late), before, _statuses(changesets, late))


def _committed_after(upto: int, changesets: dict[int, _Recorded], noted: set[int]) -> set[int]:
    """Return the changesets that were committed after one (or after the last one before that number).

    Those whose transactions were noted (PostgreSQL) come in the order in which they ended, after all others, of which
    the numbers are in order.
    """

    def order(pk: int) -> tuple[bool, datetime, int]:
        return (True, changesets[pk].ended, pk) if pk in noted else (False, _ANY_TIME, pk)

    last = max((pk for pk in changesets if pk <= upto), default=None)
    return {pk for pk in changesets if last is None or order(pk) > order(last)}


def _recorded(fields: dict[str, Any]) -> _Recorded:
    summary = fields["summary"] or {}
    begun = datetime.fromisoformat(fields["created_at"])
    ended = datetime.fromisoformat(fields["finished_at"]) if fields["finished_at"] else begun
    whole = not summary.get("scope") and not summary.get("left_alone")
    return _Recorded(begun, ended, fields["status"], whole, tuple(fields["reverts"]))


def _statuses(changesets: dict[int, _Recorded], dropped: set[int]) -> dict[int, str]:
    """Return the earlier statuses of the kept changesets whose status a dropped changeset changed."""
    moved: set[int] = set()
    for pk in sorted(changesets, reverse=True):
        if pk in dropped | moved:
            # Dropping a revert of a revert changes the status of that revert, and so on.
            moved |= set(changesets[pk].reverts)
    statuses: dict[int, str] = {}
    for pk in sorted(moved & changesets.keys() - dropped, reverse=True):
        standing = [
            changeset
            for number, changeset in changesets.items()
            if pk in changeset.reverts
            and number not in dropped
            and statuses.get(number, changeset.status) == Status.APPLIED
        ]
        whole = any(changeset.whole for changeset in standing)
        statuses[pk] = str(Status.REVERTED if whole else Status.PARTLY_REVERTED if standing else Status.APPLIED)
    return statuses
