"""Figures of the dashboard: numbers of objects, their changes, and whether history is complete."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.apps import apps
from django.db.models import Max, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from apps.changesets.history.cache import recalled, remembered
from apps.changesets.history.counts import counts_of_many
from apps.changesets.models import Changeset, Kind, Status
from apps.changesets.recording.audit import History, find_drift, note_drift
from apps.quality.coverage import Coverage, link_coverage, share_of
from apps.quality.findings import by_severity
from apps.quality.models import Tally

# How many changesets are read for additions and deletions; a trend shows fewer.
MOST_CHANGESETS, TREND = 500, 60


@dataclass(frozen=True)
class Amount:
    """The number of objects of a model, and of those added and deleted lately."""

    label: str
    plural: str
    number: int
    added: int
    deleted: int

    @property
    def net(self) -> int:
        """How many more there are: what was added and reverted again is no growth."""
        return self.added - self.deleted

    @property
    def fewer(self) -> int:
        return -self.net


@dataclass(frozen=True)
class Step:
    """The number of objects of a model after a changeset."""

    changeset_id: int
    at: datetime
    number: int


@dataclass(frozen=True)
class Moves:
    """The additions and deletions of the newest changesets, newest first."""

    changesets: tuple[tuple[int, datetime, dict[str, tuple[int, int]]], ...]

    def since(self, label: str, moment: datetime) -> tuple[int, int]:
        """Return the number of objects of a model added and deleted since a moment."""
        lately = [moves[label] for _, at, moves in self.changesets if at >= moment and label in moves]
        return sum(added for added, _ in lately), sum(deleted for _, deleted in lately)


def newest_moves(labels: Sequence[str], *, using: str = "default") -> Moves:
    """Return what the newest changesets added and deleted of these models, from their counts, without baselines."""
    newest = Changeset.objects.using(using).exclude(status=Status.FAILED).exclude(kind=Kind.BASELINE)
    rows = list(newest.only("pk", "created_at", "counts").order_by("-pk")[:MOST_CHANGESETS])
    counts = counts_of_many(rows, using=using)
    return Moves(tuple((row.pk, row.created_at, _moves(counts[row.pk], labels)) for row in rows))


def amounts(
    labels: Sequence[str], moves: Moves, *, state: str, since: datetime, using: str = "default"
) -> list[Amount]:
    """Return the number of objects of each model, remembered for this state of the tables, and its change."""
    numbers = remembered(
        "amounts",
        state,
        lambda: {label: apps.get_model(label)._base_manager.using(using).count() for label in labels},
    )
    return [
        Amount(label, str(apps.get_model(label)._meta.verbose_name_plural), numbers[label], *moves.since(label, since))
        for label in labels
    ]


def growth(label: str, number: int, moves: Moves) -> list[Step]:
    """Return how many objects of a model there were after each of the newest changesets that added or deleted any.

    Counted back from how many there are now; the oldest first.
    """
    steps: list[Step] = []
    for pk, at, moved in moves.changesets:
        added, deleted = moved.get(label, (0, 0))
        if added or deleted:
            steps.append(Step(pk, at, number))
            number -= added - deleted
        if len(steps) == TREND:
            break
    return steps[::-1]


def newest_tallies(*, using: str = "default") -> list[Tally]:
    """Return the newest tallies, the oldest first: all of today, and the last one of each day before."""
    tallies = Tally.objects.using(using).order_by()
    last = tallies.values(day=TruncDate("taken_at")).annotate(last=Max("pk")).values("last")
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return list(tallies.filter(Q(taken_at__gte=today) | Q(pk__in=last)).order_by("-pk")[:TREND])[::-1]


def coverage_trend(tallies: Iterable[Tally]) -> list[tuple[datetime, dict[str, float]]]:
    """Return the coverage in percent of each link at each tally."""
    return [(tally.taken_at, {link: share_of(*counts) for link, counts in tally.coverage.items()}) for tally in tallies]


def findings_trend(tallies: Iterable[Tally]) -> list[tuple[datetime, dict[str, int]]]:
    """Return the findings of each severity at each tally."""
    return [
        (tally.taken_at, {str(severity): n for severity, n in by_severity(tally.counts).items()}) for tally in tallies
    ]


def history_completeness(*, state: str, look: bool = True, using: str = "default") -> History | None:
    """Return whether history is complete, compared once an hour for each state of the tables: it reads all rows.

    Without `look` it is not looked for, and None comes back where nobody has looked yet.
    """
    name = f"history-{timezone.now():%Y%m%d%H}"

    return remembered(name, state, lambda: note_drift(*find_drift(using))) if look else recalled(name, state)


def coverage_now(*, state: str, using: str = "default") -> tuple[Coverage, ...]:
    """Return the coverage of every watched link, counted once for each state of the tables."""
    return remembered("coverage", state, lambda: link_coverage(using=using))


def a_week_ago() -> datetime:
    """Return the moment a week before now."""
    return timezone.now() - timedelta(days=7)


def _moves(counts: dict[str, dict[str, int]], labels: Sequence[str]) -> dict[str, tuple[int, int]]:
    return {
        label: (counts[label].get("created", 0), counts[label].get("deleted", 0)) for label in labels if label in counts
    }
