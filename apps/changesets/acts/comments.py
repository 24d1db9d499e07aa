"""What people say about a changeset, or about one object of it: each says their own, and nobody changes it."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, QuerySet

from apps.changesets.errors import ChangesetError
from apps.changesets.history.stable_key import row_key_of
from apps.changesets.models import Changeset, Comment
from apps.changesets.rights import Sees
from apps.changesets.tracking import Tracked, tracked_models

LONGEST = 2000


def say(changeset: Changeset, text: str, *, author: User, about: tuple[Tracked, Any] | None = None) -> Comment:
    """Keep what a person says about a changeset, or about the object that a history row of it is of.

    Raises ChangesetError for an empty text and for one that is too long.
    """
    text = text.strip()
    if not text or len(text) > LONGEST:
        raise ChangesetError(f"Write a comment of 1 to {LONGEST:,} characters: nothing was saved.")
    of_object = {}
    if about is not None:
        tracked, row = about
        name = str(row.instance)[:255]
        of_object = {"model": tracked.label, "object_key": row_key_of(tracked, row), "object_name": name}
    return Comment.objects.create(
        changeset=changeset, text=text, author=author, author_name=author.get_username(), **of_object
    )


def comments_on(changeset: Changeset, *, sees: Sees) -> QuerySet[Comment]:
    """Return what was said about a changeset and its objects, the oldest first, as far as the person sees these."""
    seen = ["", *(tracked.label for tracked in tracked_models() if sees(tracked.model))]
    return changeset.comments.filter(model__in=seen).select_related("author").order_by("pk")


def numbers_of(changeset: Changeset, tracked: Tracked, keys: Iterable[str]) -> dict[str, int]:
    """Return how many comments there are on these objects of a changeset, by their keys."""
    on_them = changeset.comments.filter(model=tracked.label, object_key__in=list(keys)).order_by()
    return dict(on_them.values_list("object_key").annotate(Count("pk")))
