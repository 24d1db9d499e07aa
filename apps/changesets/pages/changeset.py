"""What a changeset's page shows: the counts, and the first objects with before and after."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from apps.changesets.counting import Counts, counts_of_many, total
from apps.changesets.diff import Change, changes_of
from apps.changesets.errors import NothingToRevert
from apps.changesets.models import Changeset, Kind
from apps.changesets.pages import links
from apps.changesets.revert.plan import refuse_unless_revertable
from apps.changesets.tracking import tracked_by_name, tracked_models
from apps.changesets.words import person, standing_revert, subjects_of

SHOWN = 100


@dataclass(frozen=True)
class ModelCounts:
    """One model's line of counts, and whether its changes are the ones shown."""

    label: str
    plural: str
    counts: dict[str, int]
    number: int
    chosen: bool


def page_of(changeset: Changeset, request: HttpRequest) -> dict[str, Any]:
    """Return the context of a changeset's page; `model` and `start` in the address choose what is shown."""
    counts = counts_of_many([changeset])[changeset.pk]
    subject = subjects_of([changeset], {changeset.pk: counts}).get(changeset.pk, "")
    title = f"#{changeset.pk} {changeset.get_kind_display()}"
    if subject:
        title += f" {subject}" if changeset.kind == Kind.REVERT else f" · {subject}"
    return {
        "title": title,
        "subtitle": None,
        "changeset": changeset,
        "who": person(changeset),
        "counts": counts,
        "standing_revert": standing_revert(changeset),
        "duration": _duration(changeset),
        **_shown(changeset, counts, request),
        **_revert_offer(changeset, request),
    }


def _shown(changeset: Changeset, counts: Counts, request: HttpRequest) -> dict[str, Any]:
    chosen = _chosen_model(counts, request.GET.get("model", ""))
    lines = [
        ModelCounts(
            label=tracked.label,
            plural=str(tracked.model._meta.verbose_name_plural),
            counts=counts[tracked.label],
            number=total({"": counts[tracked.label]}),
            chosen=tracked.label == chosen,
        )
        for tracked in tracked_models()
        if tracked.label in counts
    ]
    line = next((line for line in lines if line.chosen), None)
    start = _start(request, line.number if line else 0)
    changes = list(changes_of(changeset, model=chosen, start=start, limit=SHOWN)) if chosen else []
    urls = links.urls_of(chosen, [change.pk for change in changes]) if chosen else {}
    return {
        "lines": lines,
        "line": line,
        "rows": [(change, urls.get(change.pk, ""), _news(change)) for change in changes],
        "first": start + 1,
        "last": start + len(changes),
        "before": max(0, start - SHOWN) if start else None,
        "after": start + SHOWN if line and start + SHOWN < line.number else None,
    }


def _chosen_model(counts: Counts, wanted: str) -> str:
    """The model asked for, or the one with the most objects."""
    tracked = tracked_by_name(wanted) if wanted else None
    if tracked is not None and tracked.label in counts:
        return tracked.label
    return max(counts, key=lambda label: total({"": counts[label]}), default="")


def _start(request: HttpRequest, number: int) -> int:
    asked = request.GET.get("start", "")
    start = int(asked) if asked.isdecimal() and len(asked) < 10 else 0
    return start if start < number else 0


def _news(change: Change) -> list:
    """The fields worth a line; those that follow others are folded away."""
    return [field for field in change.fields if not field.derived]


def _duration(changeset: Changeset) -> float | None:
    if changeset.finished_at is None:
        return None
    seconds = (changeset.finished_at - changeset.created_at).total_seconds()
    return round(seconds, 1) if seconds >= 1 else None


def _revert_offer(changeset: Changeset, request: HttpRequest) -> dict[str, Any]:
    """Whether the person may revert, and if not why: a button that is missing needs a word."""
    try:
        refuse_unless_revertable(changeset)
    except NothingToRevert as refusal:
        return {"may_revert": False, "no_revert": str(refusal)}
    if not request.user.has_perm(links.REVERT):
        return {"may_revert": False, "no_revert": "To revert it you need the permission to revert changesets."}
    return {"may_revert": True, "revert_url": links.revert_url(changeset.pk)}
