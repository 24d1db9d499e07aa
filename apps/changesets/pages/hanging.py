"""What hangs on a changeset: a list with reasons, a small graph, and the way to revert all of it together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from apps.changesets.acts.methods import for_viewers, show_page
from apps.changesets.history.dependents import CHANGED, CREATED, DELETED, LINKED, RENAMED, Hold, Reason, holds_on
from apps.changesets.history.values import field_label
from apps.changesets.history.words import is_open_to_revert, person
from apps.changesets.models import Changeset
from apps.changesets.pages import links
from apps.changesets.pages.plan_query import MANY
from apps.changesets.rights import Sees, eyes_of
from apps.changesets.text import counted
from apps.changesets.tracking import tracked_by_label

WORDS = {
    RENAMED: "renamed {objects} of {earlier}",
    DELETED: "deleted {objects} of {earlier}",
    CREATED: "added {objects} again that {earlier} had deleted",
    CHANGED: "changed {field} of {objects} after {earlier}",
    LINKED: "linked {objects} by {field} to what {earlier} had added",
}
HIDDEN = "changed objects that you may not see, after {earlier}"
# The graph: changesets in a column, the earliest on top, with arcs beside it.
ROW, MARGIN, ARC = 34, 17, 26
LONGEST_GRAPH = 13


@dataclass(frozen=True)
class Hanging:
    """A later changeset, who made it, why it hangs on an earlier one, and whether it can be reverted."""

    changeset: Changeset
    who: str
    reasons: list[str]
    open_to_revert: bool


@dataclass(frozen=True)
class Node:
    """A changeset in the graph: where its words stand, and where they lead."""

    y: int
    words: str
    url: str
    first: bool


def hanging_url(pk: int) -> str:
    """Return the address of what hangs on a changeset."""
    return reverse("admin:changesets_changeset_hanging", args=[pk])


@for_viewers
def hanging_page(model_admin: admin.ModelAdmin[Any], request: HttpRequest, pk: int) -> HttpResponse:
    """Show what hangs on the changeset, and what hangs on that; reads only."""
    changeset = Changeset.objects.select_related("actor").filter(pk=pk).first()
    if changeset is None:
        raise Http404(f"There is no changeset #{pk}.")
    sees = eyes_of(request.user)
    holds = [] if changeset.pruned_at is not None else holds_on(changeset)
    later = Changeset.objects.select_related("actor").in_bulk({hold.later for hold in holds})
    hanging = [_hanging(later[key], holds, sees) for key in sorted(later)]
    together = [changeset, *(one.changeset for one in hanging if one.open_to_revert)]
    may = request.user.has_perm(links.REVERT) and is_open_to_revert(changeset)
    ids = ",".join(str(one.pk) for one in together)
    context = {
        "title": f"What depends on {changeset}",
        "changeset": changeset,
        "hanging": hanging,
        "graph": _graph(changeset, later, holds) if len(later) < LONGEST_GRAPH else None,
        "together_words": f"Revert these {len(together)} together…",
        "together_url": _together_url(ids) if may and 1 < len(together) <= MANY else "",
        "revert_url": links.revert_url(pk) if may else "",
        "revert_words": f"Revert only {changeset}…",
    }
    return show_page(model_admin, request, "admin/changesets/changeset/hanging.html", context)


def _together_url(ids: str) -> str:
    return reverse("admin:changesets_changeset_revert_many") + "?" + urlencode({"ids": ids})


def _hanging(later: Changeset, holds: Sequence[Hold], sees: Sees) -> Hanging:
    reasons = [
        _words(reason, hold.earlier, sees) for hold in holds if hold.later == later.pk for reason in hold.reasons
    ]
    return Hanging(later, person(later), list(dict.fromkeys(reasons)), is_open_to_revert(later))


def _words(reason: Reason, earlier: int, sees: Sees) -> str:
    model = tracked_by_label(reason.model).model
    if not sees(model):
        return HIDDEN.format(earlier=f"#{earlier}")
    field = field_label(model, reason.field) if reason.field else ""
    return WORDS[reason.did].format(objects=counted(reason.number, model), earlier=f"#{earlier}", field=field)


def _graph(changeset: Changeset, later: Mapping[int, Changeset], holds: Sequence[Hold]) -> dict[str, Any]:
    """Return where the changesets stand, each under those before it, and the arcs from each to what hangs on it."""
    nodes = [changeset, *(later[key] for key in sorted(later))]
    places = {node.pk: MARGIN + ROW * row for row, node in enumerate(nodes)}
    widest = max((abs(places[hold.later] - places[hold.earlier]) for hold in holds), default=0) // ROW
    left = MARGIN + ARC * max(widest, 1) // 2
    arcs = []
    for hold in holds:
        top, bottom = places[hold.earlier], places[hold.later]
        bend = left - ARC * abs(bottom - top) // ROW // 2 - 4
        arcs.append(f"M {left} {top} C {bend} {top}, {bend} {bottom}, {left} {bottom}")
    return {
        "nodes": [
            Node(places[node.pk], f"{node} · {person(node)}", links.changeset_url(node.pk), node is changeset)
            for node in nodes
        ],
        "arcs": arcs,
        "left": left,
        "text": left + 12,
        "width": left + 420,
        "height": ROW * len(nodes),
    }
