"""What a test lets a console of its own do, in a process of its own; each is called by `manage.py shell -c`."""

import sys
import time

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection

from apps.airports.columns import OURAIRPORTS
from apps.airports.models import Airport
from apps.changesets.models import Changeset
from apps.imports.models import ImportRun
from apps.imports.plan import apply
from apps.imports.reading.sources import from_path
from apps.imports.results import ImportOptions
from apps.imports.runs import engine
from apps.imports.runs.confirming import cancel_run, confirm_run, mark_of, start_again
from apps.imports.runs.lease import fail_dead_runs
from apps.imports.runs.opening import open_run
from apps.imports.tasks import start_applying, start_planning


def upload(path: str) -> None:
    """Upload a file as a superuser; a worker is to plan it."""
    root = User.objects.create_superuser("root")
    run = open_run(from_path(path), spec=OURAIRPORTS, options=ImportOptions(), actor=root, reason="a test")
    ImportRun.objects.filter(pk=run.pk).update(lock="one at a time")
    start_planning(run)


def confirm() -> None:
    """Confirm the plan; a worker is to apply it."""
    run = ImportRun.objects.get()
    start_applying(confirm_run(run, actor=User.objects.get(), seen=mark_of(run)))


def again() -> None:
    """Start the run again."""
    start_planning(start_again(ImportRun.objects.get(), actor=User.objects.get()))


def tell() -> None:
    """Print what there is, once the dead have been seen after; here no lease lasts any longer."""
    settings.IMPORTS_LEASE_SECONDS = 0
    fail_dead_runs()
    run = ImportRun.objects.get()
    sys.stdout.write(f"{run.status}|{run.lock}|{Airport.objects.count()}|{Changeset.objects.count()}|{run.error}")


def cancel() -> None:
    """Cancel the only run."""
    cancel_run(ImportRun.objects.get(), actor=None)


def work_until(busy: str) -> None:
    """Work as a worker does, but go on in the middle of a run as long as nobody ends that; print when it is so far."""
    module, name = {"planning": (engine, "store_plan"), "running": (apply, "write")}[busy]
    does = getattr(module, name)

    def endless(*args: object, **more: object) -> None:
        does(*args, **more)
        sys.stdout.write(f"{busy}\n")
        sys.stdout.flush()
        while True:
            time.sleep(0.02)
            connection.cursor().execute("SELECT 1")

    setattr(module, name, endless)
    call_command("db_worker", "--no-reload", "--no-startup-delay", verbosity=0)
