"""Restoring one portable file into a database that is there, as a restore does: not recorded, all or nothing."""

from pathlib import Path
from typing import Any

from django.db import transaction

from apps.backups.drivers import PORTABLE
from apps.backups.restore.fill import raise_sequences
from apps.changesets.recording import install_recording, uninstall_recording


def restored(file: Path, using: str, *, kind: str = "data", **options: Any) -> None:
    with transaction.atomic(using=using):
        uninstall_recording(using)
        PORTABLE[kind].restorer.check(file)
        PORTABLE[kind].restorer.restore_into(file, using, **options)
        install_recording(using)
        raise_sequences(using)
