"""What people say about a changeset: the thread on its page, and the page of one object of it, to link to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from apps.changesets.acts.actor import actor_of
from apps.changesets.acts.comments import LONGEST, comments_on, numbers_of, say
from apps.changesets.acts.methods import DOES, for_viewers, show_page, turned_away
from apps.changesets.errors import ChangesetError
from apps.changesets.history.moves import move_of
from apps.changesets.history.one_change import change_of_object
from apps.changesets.history.words import full_name
from apps.changesets.models import Changeset
from apps.changesets.pages import links
from apps.changesets.rights import Sees, eyes_of
from apps.changesets.tracking import Tracked, tracked_by_label

MOST = 100


@dataclass(frozen=True)
class Thread:
    """The newest comments on a changeset or on one object of it, the oldest of them first, and where more are said."""

    changeset: Changeset
    comments: Sequence[Any]
    earlier: int
    model: str = ""
    key: str = ""
    longest: int = LONGEST

    @property
    def url(self) -> str:
        return reverse("admin:changesets_changeset_comment", args=[self.changeset.pk])

    def numbers(self, tracked: Tracked, keys: Sequence[str]) -> dict[str, int]:
        """Return how many comments there are on these objects, by key; without a query where all are in the thread."""
        if self.earlier:
            return numbers_of(self.changeset, tracked, keys)
        return Counter(comment.object_key for comment in self.comments if comment.model == tracked.label)


def thread_of(changeset: Changeset, sees: Sees, *, model: str = "", key: str = "") -> Thread:
    """Return what was said about a changeset and all its objects that may be seen, or about one of these."""
    said = comments_on(changeset, sees=sees)
    if key:
        said = said.filter(model=model, object_key=key)
    comments = list(said.reverse()[: MOST + 1])[::-1]
    earlier = said.count() - MOST if len(comments) > MOST else 0
    for comment in comments:
        _describe(comment, alone=bool(key))
    return Thread(changeset, comments[-MOST:], earlier, model, key)


def _describe(comment: Any, *, alone: bool) -> None:
    comment.who = full_name(comment.author) if comment.author else comment.author_name
    about = comment.model and not alone
    comment.row_url = links.row_url(comment.changeset_id, comment.model, comment.object_key) if about else ""


@for_viewers
def row_page(model_admin: admin.ModelAdmin[Any], request: HttpRequest, pk: int, model: str, key: str) -> HttpResponse:
    """Show what the changeset did to one object, and what is said about that; reads only."""
    changeset, tracked = _about(request, pk, model)
    sees = eyes_of(request.user)
    change = change_of_object(changeset, tracked, key, sees=sees) if changeset.pruned_at is None else None
    thread = thread_of(changeset, sees, model=model, key=key)
    if change is None and not thread.comments:
        raise Http404(f"{changeset} did nothing to such an object.")
    name = str((change.after or change.before).instance) if change else thread.comments[-1].object_name
    urls = links.urls_of(model, [change.pk], changeset=pk) if change else {}
    context = {
        "title": f"{changeset} · {name}",
        "name": name,
        "changeset": changeset,
        "change": change,
        "url": urls.get(change.pk, "") if change else "",
        "moved": move_of(change) if change else "",
        "thread": thread,
    }
    return show_page(model_admin, request, "admin/changesets/changeset/row.html", context)


def comment_page(model_admin: admin.ModelAdmin[Any], request: HttpRequest, pk: int) -> HttpResponse:
    """Keep what the person says about the changeset, or about the object that the form names, and lead back to it."""
    may = model_admin.has_view_permission(request)
    if (refused := turned_away(request, DOES, may=may)) is not None:
        return refused
    model, key, about, url = request.POST.get("model", ""), request.POST.get("key", ""), None, links.changeset_url(pk)
    if model:
        changeset, tracked = _about(request, pk, model)
        change = change_of_object(changeset, tracked, key)
        if change is None:
            raise Http404(f"{changeset} did nothing to such an object.")
        about, url = (tracked, change.after or change.before), links.row_url(pk, model, key)
    else:
        changeset = _changeset(pk)
    try:
        say(changeset, request.POST.get("text", ""), author=actor_of(request), about=about)
    except ChangesetError as refusal:
        messages.error(request, str(refusal))
    return HttpResponseRedirect(f"{url}#comments")


def _about(request: HttpRequest, pk: int, model: str) -> tuple[Changeset, Tracked]:
    """Return the changeset and the model that an address names; raises Http404, or PermissionDenied for the unseen."""
    try:
        tracked = tracked_by_label(model)
    except LookupError as unknown:
        raise Http404(str(unknown)) from unknown
    if not eyes_of(request.user)(tracked.model):
        raise PermissionDenied
    return _changeset(pk), tracked


def _changeset(pk: int) -> Changeset:
    changeset = Changeset.objects.select_related("actor").filter(pk=pk).first()
    if changeset is None:
        raise Http404(f"There is no changeset #{pk}.")
    return changeset
