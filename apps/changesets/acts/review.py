"""Reviewing changesets with a verdict, and giving direct writes a name and a reason."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Case, Count, Q, QuerySet, When
from django.utils import timezone

from apps.changesets.errors import NotToReview, UnknownChangeset
from apps.changesets.history.words import full_name
from apps.changesets.models import Changeset, Kind, ReviewVerdict, Status, Visitor

# Failed changesets and baselines need no review.
_WAITS = Q(reviewed_at__isnull=True) & ~Q(status=Status.FAILED) & ~Q(kind=Kind.BASELINE)
_REVIEW = ["reviewed_by", "reviewed_by_name", "reviewed_at", "review_comment", "review_verdict"]


def unreviewed(changesets: QuerySet[Changeset]) -> QuerySet[Changeset]:
    """Return the changesets that need a review and have none yet."""
    return changesets.filter(_WAITS)


def found_to_be(verdict: str, changesets: QuerySet[Changeset]) -> QuerySet[Changeset]:
    """Return the changesets whose reviewer gave this verdict."""
    return changesets.filter(_found(verdict))


def what_reviews_ask_for() -> tuple[int, int]:
    """Return how many changesets are not reviewed, and how many were found harmful and are not reverted."""
    harmful = _found(ReviewVerdict.HARMFUL) & ~Q(status=Status.REVERTED)
    numbers = Changeset.objects.aggregate(waiting=Count("pk", filter=_WAITS), harmful=Count("pk", filter=harmful))
    return numbers["waiting"], numbers["harmful"]


def _found(verdict: str) -> Q:
    stored = Q(review_verdict=verdict)
    if verdict == ReviewVerdict.FINE:
        stored |= Q(review_verdict="")
    return stored & Q(reviewed_at__isnull=False)


def next_to_review(pk: int, *, actor: User) -> Changeset | None:
    """Return what `actor` may review after this changeset: the next older one, or the newest where none is older."""
    others = unreviewed(Changeset.objects.exclude(pk=pk)).exclude(actor=actor).exclude(asked_by=actor)
    newer_last = Case(When(pk__lt=pk, then=0), default=1)
    return others.only("pk", "kind").order_by(newer_last, "-pk").first()


def needs_review(changeset: Changeset) -> bool:
    """Whether a changeset can be marked reviewed."""
    return changeset.reviewed_at is None and changeset.status != Status.FAILED and changeset.kind != Kind.BASELINE


def is_own(changeset: Changeset, user: Visitor) -> bool:
    """Whether the person made a changeset, or asked for it: somebody else reviews it then."""
    return user.pk is not None and user.pk in (changeset.actor_id, changeset.asked_by_id)


def mark_reviewed(pk: int, *, actor: User, comment: str = "", verdict: str = ReviewVerdict.FINE) -> Changeset:
    """Note what `actor` found of the changeset.

    Raises NotToReview where somebody reviewed it already, where the actor made it, and for a verdict that there is not.
    """
    if verdict not in ReviewVerdict.values:
        raise NotToReview("Choose one of these: fine, questionable or harmful.")
    with transaction.atomic():
        changeset = _locked(pk)
        if changeset.reviewed_at is not None:
            raise NotToReview(f"{changeset} was reviewed by {changeset.reviewed_by_name} already.")
        if not needs_review(changeset):
            raise NotToReview(f"{changeset} changed nothing, so there is nothing to review.")
        if is_own(changeset, actor):
            raise NotToReview(f"You made {changeset} yourself: somebody else has to review it.")
        changeset.reviewed_by, changeset.reviewed_by_name = actor, full_name(actor)
        changeset.reviewed_at, changeset.review_comment = timezone.now(), comment
        changeset.review_verdict = verdict
        changeset.save(update_fields=_REVIEW)
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
            "verdict": changeset.verdict,
        }
        summary["reviews"] = [*summary.get("reviews", []), {**was, "taken_back": timezone.now().isoformat()}]
        changeset.summary = summary
        changeset.reviewed_by, changeset.reviewed_by_name = None, ""
        changeset.reviewed_at, changeset.review_comment, changeset.review_verdict = None, "", ""
        changeset.save(update_fields=[*_REVIEW, "summary"])
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
