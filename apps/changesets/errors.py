"""The refusals of this app, each with a sentence for the person."""

from typing import Any

from django.core.exceptions import PermissionDenied


class ChangesetError(Exception):
    """Base of all errors of this app; its text is one sentence that says what to do."""


class RecordingNotInstalled(ChangesetError):
    """The database does not record changes of a tracked table, or no longer as the table is."""


class HistoryIsRecordedByTheDatabase(ChangesetError):
    """Somebody asked Python to write, thin out or fill history that the database records."""


class NotPermitted(ChangesetError, PermissionDenied):
    """An act would write rows of a model that the person may not write, or show what they may not see; nothing was
    changed.
    """

    status = 403


class UnknownChangeset(ChangesetError):
    """No changeset has this number."""

    # What a page answers that has nothing else to show.
    status = 404


class CursorRefused(ChangesetError):
    """A text is no cursor, or the cursor is of another database, another state of it, or another model."""


class HistoryPruned(ChangesetError):
    """The moment or changeset asked for is in the history that was pruned."""


class NothingToRevert(ChangesetError):
    """The changesets asked for are reverted already, failed, or changed nothing."""


class RevertConflict(ChangesetError):
    """With policy abort: something changed since, or stands in the way; nothing was reverted."""


class PlanMoved(ChangesetError):
    """What would be done is no longer what the person was shown, or was shown to nobody; nothing was changed."""

    def __init__(self, why: str, noun: str = "plan") -> None:
        super().__init__(
            f"The {noun} is no longer what you were shown: {why}. Nothing was changed; look again and confirm."
        )


class UnreadableMoment(ChangesetError):
    """A point in time that nobody can make sense of."""


class NothingToRestore(ChangesetError):
    """The objects live, or never existed; nothing was restored."""


class EmptyScope(ChangesetError):
    """The part that somebody asked to revert does not exist, or the changesets did not touch it."""


class Busy(ChangesetError):
    """Somebody else was writing for too long; nothing was changed."""

    status = 503


class NotPlanned(ChangesetError):
    """The person has not had this plan made; `plan` is the one that is not stored yet."""

    def __init__(self, plan: Any) -> None:
        super().__init__("This is not planned yet.")
        self.plan = plan


class PlanUnderWay(ChangesetError):
    """The plan is left to a worker, which has not made it, or is carrying it out; `plan` is the stored one."""

    def __init__(self, plan: Any) -> None:
        super().__init__(plan.error or "A worker is busy with this plan.")
        self.plan = plan


class WorkCancelled(ChangesetError):
    """Somebody asked work of a worker to stop; nothing was written."""


class BoardUnavailable(ChangesetError, OSError):
    """What the processes share, progress above all, cannot be read or written; no act depends on it."""

    status = 503

    def __init__(self, error: Exception) -> None:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        super().__init__(
            f"Progress cannot be told or asked for, since what all processes share does not answer ({reason}). Check "
            "Redis (CACHE_URL), or the disk of VAR_DIR; then try again. What is going on goes on meanwhile."
        )


class NotToReview(ChangesetError):
    """A review or a name was given to a changeset that has one already, or that takes none."""


class TooManyObjects(ChangesetError):
    """A search fits so many objects that none of them can be meant."""


class NothingSelected(ChangesetError):
    """A bulk action was asked for, and no object fits the selection; nothing was changed."""


class BulkRefused(ChangesetError):
    """A bulk action cannot be done to this selection; nothing was changed."""


class NotToFollow(ChangesetError):
    """What somebody wants to follow is not there or not for them, or they follow too much already."""
