"""Marking changesets reviewed, and giving direct writes a name and a reason."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from apps.changesets.errors import NotToReview, UnknownChangeset
from apps.changesets.history.words import full_name
from apps.changesets.models import Changeset, Kind, Status

# Changesets that need no review: failed ones and baselines.
NOT_FOR_REVIEW = {"status": Status.FAILED}, {"kind": Kind.BASELINE}


def unreviewed(changesets: QuerySet[Changeset]) -> QuerySet[Changeset]:
    """Return the changesets that need a review and have none yet."""
    for nothing in NOT_FOR_REVIEW:
        changesets = changesets.exclude(**nothing)
    return changesets.filter(reviewed_at__isnull=True)


def needs_review(changeset: Changeset) -> bool:
    """Whether a changeset can be marked reviewed."""
    return changeset.reviewed_at is None and changeset.status != Status.FAILED and changeset.kind != Kind.BASELINE


def mark_reviewed(pk: int, *, actor: User, comment: str = "") -> Changeset:
    """Note that `actor` has looked at the changeset; raises NotToReview where somebody has already."""
    with transaction.atomic():
        changeset = _locked(pk)
        if changeset.reviewed_at is not None:
            raise NotToReview(f"{changeset} was reviewed by {changeset.reviewed_by_name} already.")
        if not needs_review(changeset):
            raise NotToReview(f"{changeset} changed nothing, so there is nothing to review.")
        changeset.reviewed_by, changeset.reviewed_by_name = actor, full_name(actor)
        changeset.reviewed_at, changeset.review_comment = timezone.now(), comment
        changeset.save(update_fields=["reviewed_by", "reviewed_by_name", "reviewed_at", "review_comment"])
    return changeset


def take_back_review(pk: int, *, actor: User) -> Changeset:
    """Make the changeset one that is not reviewed again; that it was is kept in `summary["reviews"]`.

    Raises NotToReview where it is not, or where the review is somebody else's: nobody can put their name in its place.
    """
    with transaction.atomic():
        changeset = _locked(pk)
        if changeset.reviewed_at is None:
            raise NotToReview(f"{changeset} is not reviewed, so there is no review to take back.")
        if changeset.reviewed_by_id != actor.pk:
            raise NotToReview(
                f"{changeset} was reviewed by {changeset.reviewed_by_name}, who alone can take that back."
            )
        summary = changeset.summary or {}
        was = {
            "by": changeset.reviewed_by_name,
            "at": changeset.reviewed_at.isoformat(),
            "comment": changeset.review_comment,
        }
        summary["reviews"] = [*summary.get("reviews", []), {**was, "taken_back": timezone.now().isoformat()}]
        changeset.summary = summary
        changeset.reviewed_by, changeset.reviewed_by_name = None, ""
        changeset.reviewed_at, changeset.review_comment = None, ""
        changeset.save(update_fields=["reviewed_by", "reviewed_by_name", "reviewed_at", "review_comment", "summary"])
    return changeset


def name_direct(pk: int, *, actor: User, reason: str, who: str = "") -> Changeset:
    """Give a direct write the reason, and as text the person, that `actor` knows of.

    The reason says who gave it. What the database had recorded of the writer stays, and what stood there before is kept
    in `summary["named"]`. Raises NotToReview for any other kind.
    """
    with transaction.atomic():
        changeset = _locked(pk)
        if changeset.kind != Kind.DIRECT:
            raise NotToReview(
                f"{changeset} was made in the console, which knows who and why: only direct writes are named."
            )
        summary = changeset.summary or {}
        before = {"actor_name": changeset.actor_name, "reason": changeset.reason}
        by = {"by": actor.get_username(), "at": timezone.now().isoformat()}
        summary["named"] = [*summary.get("named", []), {**by, "who": who, "before": before}]
        changeset.summary = summary
        done_by = f"done by {who}, " if who else ""
        changeset.reason = f"{reason} ({done_by}said by {full_name(actor)})"
        changeset.save(update_fields=["reason", "summary"])
    return changeset


def _locked(pk: int) -> Changeset:
    changeset = Changeset.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if changeset is None:
        raise UnknownChangeset(f"There is no changeset #{pk}: the list shows those that there are.")
    return changeset
