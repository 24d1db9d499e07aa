"""Cutting an increment: rows of later changesets, or of later moments, are left out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.apps import apps

from apps.backups.errors import NotReached
from apps.backups.portable.base import Heading
from apps.backups.portable.carried import history_models
from apps.backups.portable.reading import Numbered, read_lines
from apps.changesets.models import Changeset, Status

# A changeset, which is the last one to restore; or a moment, by which every restored changeset had finished.
Upto = int | datetime

_CHANGESETS = Changeset._meta.label_lower


@dataclass
class Cut:
    """The last changeset to keep, the moment from which on other lines are dropped, and the changed statuses."""

    last: int
    before: datetime | None
    statuses: dict[int, str] = field(default_factory=dict)
    _links: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def keep(self, lines: Iterator[Numbered]) -> Iterator[Numbered]:
        """Yield the lines to restore, with links to dropped changesets cleared."""
        history = {model._meta.label_lower for model in history_models()}
        for number, line in lines:
            label = line.get("model")
            if label == _CHANGESETS and line["pk"] > self.last:
                continue
            if label in history and line["fields"]["changeset"] > self.last:
                continue
            if "touched" in line and self.before and not _earlier(line["fields"], self.before):
                continue
            if label == _CHANGESETS:
                line["fields"]["status"] = self.statuses.get(line["pk"], line["fields"]["status"])
            elif label:
                self._clear_links(label, line["fields"])
            yield number, line

    def _clear_links(self, label: str, values: dict[str, Any]) -> None:
        for name in self._names(label):
            if (values.get(name) or 0) > self.last:
                values[name] = None

    def _names(self, label: str) -> tuple[str, ...]:
        if label not in self._links:
            fields = apps.get_model(label)._meta.concrete_fields
            self._links[label] = tuple(field.name for field in fields if field.related_model is Changeset)
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
    changesets = {
        line["pk"]: _recorded(line["fields"]) for _, line in read_lines(source) if line.get("model") == _CHANGESETS
    }
    if isinstance(upto, int):
        last = upto
    else:
        late = [pk for pk, changeset in changesets.items() if changeset.ended > upto]
        last = min(late) - 1 if late else max(changesets, default=heading.base_newest or 0)
    if last < (heading.base_newest or 0):
        when = f"changeset #{upto}" if isinstance(upto, int) else f"{upto:%Y-%m-%d %H:%M:%S %Z}".strip()
        raise NotReached(
            f"{source.name} begins after {when}: nothing was restored. Choose an earlier backup, or a later time."
        )
    dropped = [changeset.begun for pk, changeset in changesets.items() if pk > last]
    before = min(dropped, default=None) if isinstance(upto, int) else upto
    return Cut(last, before, _statuses(changesets, last))


def _recorded(fields: dict[str, Any]) -> _Recorded:
    summary = fields["summary"] or {}
    begun = datetime.fromisoformat(fields["created_at"])
    ended = datetime.fromisoformat(fields["finished_at"]) if fields["finished_at"] else begun
    whole = not summary.get("scope") and not summary.get("left_alone")
    return _Recorded(begun, ended, fields["status"], whole, tuple(fields["reverts"]))


def _statuses(changesets: dict[int, _Recorded], last: int) -> dict[int, str]:
    """Return the earlier statuses of the kept changesets whose status a dropped changeset changed."""
    moved: set[int] = set()
    for pk in sorted(changesets, reverse=True):
        if pk > last or pk in moved:
            # Dropping a revert of a revert changes the status of that revert, and so on.
            moved |= set(changesets[pk].reverts)
    statuses: dict[int, str] = {}
    for pk in sorted((pk for pk in moved & changesets.keys() if pk <= last), reverse=True):
        standing = [
            changeset
            for number, changeset in changesets.items()
            if pk in changeset.reverts and number <= last and statuses.get(number, changeset.status) == Status.APPLIED
        ]
        whole = any(changeset.whole for changeset in standing)
        statuses[pk] = str(Status.REVERTED if whole else Status.PARTLY_REVERTED if standing else Status.APPLIED)
    return statuses
