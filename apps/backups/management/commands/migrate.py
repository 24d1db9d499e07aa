"""Migrate, with a backup before data is dropped."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from apps.backups.errors import BackupFailure
from apps.backups.migrating import without_backup
from apps.changesets.management.commands.migrate import Command as RecordingCommand


class Command(RecordingCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--force", action="store_true", help="Drop data though no recent backup holds it.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with without_backup(options["force"]):
                super().handle(*args, **options)
        except BackupFailure as error:
            raise CommandError(str(error)) from error
