"""The worker of django-tasks-db, which takes up what dead workers left, and waits for a database that is away."""

import logging
import time
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connections
from django_tasks_db.management.commands import db_worker

from apps.changesets.management.sentences import Writing
from apps.changesets.processes.failures import words_of
from apps.changesets.processes.progress import beating
from apps.imports.runs.workers import BEAT_SECONDS, note_worker
from apps.imports.tasks import see_after_runs, take_up_runs

logger = logging.getLogger(__name__)
# How long to wait before asking a database again that cannot be reached.
WAIT_SECONDS = (1, 2, 5, 10)


class Command(Writing, db_worker.Command):
    requires_system_checks = "__all__"

    def handle(self, **options: Any) -> None:
        """Work until told to stop; whenever the database is away, wait for it."""
        with (
            beating(note_worker, every=BEAT_SECONDS, name="worker"),
            beating(take_up_runs, every=max(settings.IMPORTS_LEASE_SECONDS, BEAT_SECONDS), name="runs", at_once=False),
        ):
            self._work(**options)

    def _work(self, **options: Any) -> None:
        attempt = 0
        while True:
            started = time.monotonic()
            try:
                see_after_runs()
                super().handle(**options)
                return
            except (OperationalError, InterfaceError) as error:
                # After a while of work it is another failure, and the waiting begins anew.
                attempt = 0 if time.monotonic() - started > WAIT_SECONDS[-1] else attempt
                wait = WAIT_SECONDS[min(attempt, len(WAIT_SECONDS) - 1)]
                attempt += 1
                logger.warning("The worker cannot use the database, and tries again in %s s: %s", wait, words_of(error))
            connections.close_all()
            time.sleep(wait)
