"""A storage in a folder, for files that only the console may read: what is kept there is whole, or is not there."""

import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage


def sync_file(path: Path) -> None:
    """Write the bytes of a file to the disk, and return when they are there."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class PrivateStorage(FileSystemStorage):
    """Keeps files for their owner alone; a file gets its name once all of it is on the disk, and replaces no other."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"file_permissions_mode": 0o600, "directory_permissions_mode": 0o700, **options})

    def _save(self, name: str, content: File[bytes]) -> str:
        folder = Path(self.path(name)).parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=folder, prefix=".", suffix=".partial") as partial:
            for chunk in content.chunks():
                partial.write(chunk)
            partial.flush()
            os.fsync(partial.fileno())
            # A name that somebody took meanwhile, perhaps on another machine, is not written over.
            while not self._give_name(partial.name, name):
                name = self.get_available_name(name)
        sync_file(folder)
        return name

    def _give_name(self, partial: str, name: str) -> bool:
        try:
            os.link(partial, self.path(name))
        except FileExistsError:
            return False
        return True
