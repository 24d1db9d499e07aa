"""Django's check, which also asks whether the database records."""

from typing import Any

from django.core.management import CommandError
from django.core.management.commands.check import Command as CheckCommand
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.utils import OperationalError

from apps.changesets.management.sentences import InOneSentence


class Command(InOneSentence, CheckCommand):
    def handle(self, *app_labels: Any, **options: Any) -> None:
        if not (options["databases"] or options["list_tags"]):
            # Django looks at databases only where they are named.
            try:
                connection.ensure_connection()
                options["databases"] = [DEFAULT_DB_ALIAS]
            except OperationalError:
                self.stderr.write("The database cannot be reached, so nobody knows whether it records what happens.")
        try:
            super().handle(*app_labels, **options)
        except LookupError as error:
            raise CommandError(f"{error} Name apps such as airports.") from error
