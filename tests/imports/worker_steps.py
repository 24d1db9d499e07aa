"""What a test lets a console of its own do, in a process of its own; each is called by `manage.py shell -c`."""

import sys
import time

from django.contrib.auth.models import User

from apps.airports.models import Airport
from apps.airports.ourairports import OURAIRPORTS
from apps.changesets.models import Changeset
from apps.imports.models import ImportRun, RunStatus
from apps.imports.results import ImportOptions
from apps.imports.runs.confirming import cancel_run, confirm_run, mark_of, start_again
from apps.imports.runs.lease import fail_dead_runs
from apps.imports.runs.opening import open_run
from apps.imports.sources import from_path
from apps.imports.tasks import start_applying, start_planning


def upload(path: str) -> None:
    """Upload a file as a superuser; a worker is to plan it."""
    root = User.objects.create_superuser("root")
    run = open_run(
        from_path(path), spec=OURAIRPORTS, options=ImportOptions(), actor=root, reason="a test", lock="one at a time"
    )
    start_planning(run)


def confirm() -> None:
    """Confirm the plan; a worker is to apply it."""
    run = ImportRun.objects.get()
    start_applying(confirm_run(run, actor=User.objects.get(), seen=mark_of(run)))


def again() -> None:
    """Start the run again."""
    start_planning(start_again(ImportRun.objects.get(), actor=User.objects.get()))


def tell() -> None:
    """Print what there is, once the dead have been seen after."""
    fail_dead_runs()
    run = ImportRun.objects.get()
    sys.stdout.write(f"{run.status}|{run.lock}|{Airport.objects.count()}|{Changeset.objects.count()}|{run.error}")


def cancel_once_running() -> None:
    """Cancel the only run as soon as a worker is writing: a command that starts only then may come too late."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while ImportRun.objects.get().status != RunStatus.RUNNING:
        time.sleep(0.02)
    cancel_run(ImportRun.objects.get(), actor=None)
