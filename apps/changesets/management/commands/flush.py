"""Django's flush, which empties the tables without recording a deletion of every row."""

from typing import Any

from django.core.management.commands.flush import Command as FlushCommand

from apps.changesets.management.sentences import Writing
from apps.changesets.recording import install_recording, uninstall_recording


class Command(Writing, FlushCommand):
    def handle(self, **options: Any) -> None:
        uninstall_recording(options["database"])
        try:
            super().handle(**options)
        finally:
            install_recording(options["database"])
