"""Uploads that are too large are cut off while they are received, before they fill a disk."""

from typing import Any
from weakref import WeakKeyDictionary

from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest

from apps.imports.reading import sources

# The name of the file that was cut off, while its request lives.
_cut_off: WeakKeyDictionary[HttpRequest, str] = WeakKeyDictionary()


class LimitedUpload(FileUploadHandler):
    """Passes a file on to the next handler until it is too large; then the request has no file, but its name.

    Stands first among the handlers; a temporary file of a later one is closed, and with that removed, when it is cut.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.size = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.size += len(raw_data)
        if self.size > sources.SIZE_LIMIT:
            if self.request is not None:
                _cut_off[self.request] = self.file_name or ""
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Leave the finished file to the next handler."""


def too_large_upload(request: HttpRequest) -> str:
    """Return the name of the file that was cut off, or nothing."""
    return _cut_off.get(request, "")
