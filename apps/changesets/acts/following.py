"""Following a changeset, a saved view or an object; and the token by which a program reads what a person follows."""

import secrets
from hashlib import sha256
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from apps.changesets.errors import NotToFollow
from apps.changesets.follow_models import Digest, FeedToken, Follow
from apps.changesets.history.cursors import cursor_now
from apps.changesets.history.followed import rows_of_object
from apps.changesets.models import Changeset, SavedView
from apps.changesets.rights import eyes_of
from apps.changesets.text import whole_number
from apps.changesets.tracking import tracked_by_label, tracked_by_name

# So many things one person may follow: each takes a few queries for the feed.
MOST = 50
_GONE = NotToFollow("That is not there any more, or is not for you to see: nothing was changed.")


def follow(user: User, about: str, *, site: str) -> Follow:
    """Let a person follow what a word names (`changeset:41`, `view:7`, `base.country/pk:5`).

    `site` is the address of the console as the person knows it, for their mails. Raises NotToFollow for what is not
    there, what they may not see, and beyond the limit.
    """
    subject, own = _subject(user, about), Follow.objects.filter(user=user)
    with transaction.atomic():
        if own.count() >= MOST and not own.filter(about=about).exists():
            raise NotToFollow(f"You follow {MOST} things already: first unfollow one of them.")
        made, _ = Follow.objects.get_or_create(user=user, about=about, defaults=subject)
        known, new = Digest.objects.get_or_create(user=user, defaults={"cursor": "", "site": site[:300]})
        if new:
            known.cursor = cursor_now().text
        known.site = site[:300]
        known.save(update_fields=["cursor", "site"])
    return made


def unfollow(user: User, about: str) -> bool:
    """Stop following; return whether the person did."""
    return bool(Follow.objects.filter(user=user, about=about).delete()[0])


def new_token(user: User) -> str:
    """Return a new token of the person's feed, which is kept as a hash only; the one before opens nothing any more."""
    token = secrets.token_urlsafe(32)
    revoke_token(user)
    FeedToken.objects.create(user=user, hashed=_hashed(token))
    return token


def revoke_token(user: User) -> None:
    """Close the feed of the person."""
    FeedToken.objects.filter(user=user).delete()


def owner_of(token: str) -> User | None:
    """Return the person whose feed a token opens; None for a token that is none, or whose owner may not log in."""
    known = FeedToken.objects.select_related("user").filter(hashed=_hashed(token)).first()
    return known.user if known is not None and known.user.is_active and known.user.is_staff else None


def _hashed(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _subject(user: User, about: str) -> dict[str, Any]:
    """Return the fields of a Follow for what the word names; raises NotToFollow."""
    kind, _, number = about.partition(":")
    if kind == "changeset":
        if (changeset := Changeset.objects.filter(pk=whole_number(number) or 0).first()) is None:
            raise _GONE
        return {"changeset": changeset}
    sees = eyes_of(user)
    if kind == "view":
        views = SavedView.objects.filter(Q(owner=user) | Q(shared=True))
        view = views.filter(pk=whole_number(number) or 0).first()
        # Views of other lists than those of objects are not followed.
        viewed = tracked_by_name(view.model) if view is not None else None
        if viewed is None or not sees(viewed.model):
            raise _GONE
        return {"view": view}
    model, _, key = about.partition("/")
    try:
        tracked = tracked_by_label(model)
    except LookupError as unknown:
        raise _GONE from unknown
    row = rows_of_object(tracked, key).order_by("-history_id").first() if sees(tracked.model) else None
    if row is None:
        raise _GONE
    return {"model": model, "object_key": key, "object_name": str(row.instance)[:255]}
