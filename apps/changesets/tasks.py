"""The tasks of workers (`manage.py db_worker`): planning and carrying out large reverts."""

from django_tasks import task

from apps.changesets.hooks import after_unattended_work
from apps.changesets.revert.apart import do_work


@task()
def work_on_plan(pk: int) -> None:
    """Do what a stored plan waits for."""
    try:
        do_work(pk)
    finally:
        after_unattended_work()
