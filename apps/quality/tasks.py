"""Counting findings again after large changes, by a worker (`manage.py db_worker`)."""

from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from apps.changesets.models import Changeset, Kind
from apps.quality.tallies import take_tally

# After an edit of a few objects the next count is soon enough.
AFTER = (Kind.IMPORT, Kind.BULK_ACTION, Kind.RELINK, Kind.DELETE, Kind.REVERT, Kind.RESTORE)


@task()
def count_in_background() -> None:
    """Count the findings, and keep the counts for the trend."""
    take_tally()


def count_after(changeset: Changeset) -> None:
    """Let a worker count the findings after a large changeset, unless a count is already waiting."""
    if changeset.kind not in AFTER:
        return
    waiting = DBTaskResult.objects.filter(task_path=count_in_background.module_path, status=TaskResultStatus.READY)
    if not waiting.exists():
        count_in_background.enqueue()
