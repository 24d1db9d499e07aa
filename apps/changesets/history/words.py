"""Words for changesets: signs, kinds, people, subjects. Plain words, no HTML."""

from collections.abc import Iterable

from django.contrib.auth.models import User

from apps.changesets.history.counts import Counts, total
from apps.changesets.models import Changeset, Kind, ReviewVerdict, Status
from apps.changesets.rights import Sees, unseen_of
from apps.changesets.tracking import tracked_models

# Each sort of change always has all three: sign, word, and the colour that the stylesheet gives the name.
SIGNS: dict[str, tuple[str, str]] = {
    "created": ("+", "added"),
    "changed": ("~", "changed"),
    "renamed": ("~", "renamed"),
    "deleted": ("−", "deleted"),  # noqa: RUF001 - the minus sign, as wide as the plus
    "kept": ("=", "kept"),
    "already": ("=", "already so"),
    "missing": ("?", "missing"),
    "blocked": ("!", "blocked"),
    "refused": ("×", "refused"),  # noqa: RUF001 - the sign of refusal
}

# What a reviewer found, in the same way.
VERDICTS: dict[str, tuple[str, str]] = {
    ReviewVerdict.FINE: ("✓", "fine"),
    ReviewVerdict.QUESTIONABLE: ("?", "questionable"),
    ReviewVerdict.HARMFUL: ("!", "harmful"),
}


def person(changeset: Changeset) -> str:
    """Return who made a changeset: the person's name, or what the database knew of a direct write."""
    if changeset.actor is not None:
        return full_name(changeset.actor)
    if changeset.actor_name:
        return changeset.actor_name
    return "a direct write" if changeset.kind == Kind.DIRECT else "a command"


def asked_for(changeset: Changeset) -> str:
    """Return who asked for a changeset that somebody else confirmed; nothing where the actor did both."""
    if not changeset.asked_by_name:
        return ""
    return f"{'uploaded' if changeset.kind == Kind.IMPORT else 'asked for'} by {changeset.asked_by_name}"


def full_name(user: User) -> str:
    """Return what a user is called."""
    return user.get_full_name() or user.get_username()


def standing_revert(changeset: Changeset) -> Changeset | None:
    """Return the newest revert of this changeset that stands, or None; reads `reverted_by` as it was prefetched."""
    standing = [revert for revert in changeset.reverted_by.all() if revert.status == Status.APPLIED]
    return max(standing, key=lambda revert: revert.pk, default=None)


def is_open_to_revert(changeset: Changeset) -> bool:
    """Whether a revert of this changeset can be planned; the plan may still refuse it."""
    stands = changeset.status in (Status.APPLIED, Status.PARTLY_REVERTED) and changeset.pruned_at is None
    return stands and changeset.kind != Kind.BASELINE


def may_name_file(changeset: Changeset, counts: Counts, sees: Sees) -> bool:
    """Whether the person may read the name of a changeset's file: that of a backup of an object has its key."""
    return changeset.kind == Kind.IMPORT or not unseen_of(counts, sees)


def subjects_of(changesets: Iterable[Changeset], counts: dict[int, Counts], *, sees: Sees) -> dict[int, str]:
    """Return what each changeset was about, where a few words say it: its file, its one object, what it reverted.

    An object is named only to who `sees` its model. `reverts` is read as it was prefetched; the single objects take one
    query a model.
    """
    subjects: dict[int, str] = {}
    single: dict[str, list[int]] = {}
    for changeset in changesets:
        touched = counts.get(changeset.pk) or {}
        if changeset.source_name and may_name_file(changeset, touched, sees):
            subjects[changeset.pk] = changeset.source_name
        elif changeset.kind == Kind.REVERT:
            subjects[changeset.pk] = "of " + ", ".join(str(reverted) for reverted in changeset.reverts.all())
        elif len(touched) == 1 and total(touched) == 1:
            single.setdefault(next(iter(touched)), []).append(changeset.pk)
    for tracked in tracked_models():
        if tracked.label in single and sees(tracked.model):
            rows = tracked.history_model.objects.filter(changeset_id__in=single[tracked.label]).order_by("history_id")
            subjects |= {row.changeset_id: str(row.instance) for row in rows}
    return subjects
