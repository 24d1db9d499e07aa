"""update_airports: for cron: lock, back up, import, one line in the log, and an exit status."""

from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.core.management.base import CommandError

from apps.airports.management.importing import (
    add_import_arguments,
    import_options,
    make_plan,
    source_name,
    source_of,
)
from apps.airports.models import Airport
from apps.airports.updating import refuse_too_many, update_airports
from apps.backups.errors import BackupFailure
from apps.imports.management.importing import ImportingCommand, one_sentence


class Command(ImportingCommand):
    help = "Import airports with nobody watching: one at a time, after a backup, and not when many rows are refused."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_import_arguments(parser)
        parser.add_argument("--no-backup", action="store_true", help="make no backup first")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            self._plan_only(options)
            return
        try:
            with one_sentence():
                update = update_airports(
                    partial(source_of, options),
                    name=source_name(options),
                    options=import_options(options),
                    reason=options["reason"],
                    backup=not options["no_backup"],
                )
        except BackupFailure as error:
            raise CommandError(str(error)) from error
        self.tell(
            update.plan,
            update.changeset,
            options,
            duration=update.duration,
            initial_count=update.initial_count,
            final_count=update.final_count,
        )

    def _plan_only(self, options: dict[str, Any]) -> None:
        with one_sentence():
            plan = make_plan(options, None)
            refuse_too_many(plan)
            plan.discard()
        count = Airport.objects.count()
        self.tell(plan, None, options, duration=0.0, initial_count=count, final_count=count)
