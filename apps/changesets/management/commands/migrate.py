"""Django's migrate: it installs the recording again even when it fails, and names what has lost its field."""

from typing import Any

from django.core.management.commands.migrate import Command as MigrateCommand
from django.db import connections

from apps.changesets.management.sentences import Writing
from apps.changesets.models import Changeset
from apps.changesets.names import strays
from apps.changesets.recording import install_recording, recording_problems
from apps.changesets.recording.kept_tables import KeepingAutodetector


class Command(Writing, MigrateCommand):
    # Django wants it to be that of makemigrations.
    autodetector = KeepingAutodetector
    requires_system_checks = "__all__"

    def check(self, *args: Any, **kwargs: Any) -> None:
        # The check of the recording must not stop the one command that mends it.
        super().check(*args, **{**kwargs, "databases": None})

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            super().handle(*args, **options)
        except BaseException:
            _install_again(options["database"])
            raise
        for sentence in strays(options["database"]) if options["verbosity"] else ():
            self.stderr.write(self.style.WARNING(sentence))


def _install_again(using: str) -> None:
    connection = connections[using]
    if Changeset._meta.db_table in connection.introspection.table_names() and recording_problems(using):
        install_recording(using)
