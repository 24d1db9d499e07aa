"""update_airports: for cron: lock, back up, import, one line in the log, and an exit status."""

from argparse import ArgumentParser
from typing import Any

from apps.airports.management.importing import add_import_arguments, request_for
from apps.airports.models import Airport
from apps.changesets.hooks import after_unattended_work
from apps.imports.management.importing import ImportingCommand, one_sentence
from apps.imports.runs.engine import Finished

LOCK = "update:ourairports"
REFUSED_PERCENT = 1


class Command(ImportingCommand):
    help = "Import airports with nobody watching: one at a time, after a backup, and not when many rows are refused."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_import_arguments(parser)
        parser.add_argument("--no-backup", action="store_true", help="make no backup first")

    def handle(self, *args: Any, **options: Any) -> None:
        held = {"lock": LOCK, "refused_percent": REFUSED_PERCENT, "backup": not options["no_backup"]}
        with one_sentence():
            request = request_for(options, "update_airports", **held)
        self.initial_count = Airport.objects.count()
        try:
            self.import_requested(request, options)
        finally:
            after_unattended_work()

    def as_json(self, finished: Finished) -> dict[str, Any]:
        """Return what is printed as JSON."""
        before_and_after = {"initial_count": self.initial_count, "final_count": Airport.objects.count()}
        return super().as_json(finished) | before_and_after
