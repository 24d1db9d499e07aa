"""The cache in files that progress and turns are in."""

import os
import secrets
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.filebased import FileBasedCache


class FileCache(FileBasedCache):
    """Django's cache in files, with an `add` that only one of several at once succeeds with, as other caches have it.

    Django's looks whether there is an entry and then writes one, so that both of two clicks may have been the first.
    """

    _key_to_file: Callable[..., str]

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        # An entry that has expired goes here.
        if self.has_key(key, version):
            return False
        written = f"{key}-{secrets.token_hex(8)}"
        self.set(written, value, timeout, version)
        try:
            os.link(self._key_to_file(written, version), self._key_to_file(key, version))
        except FileExistsError:
            return False
        finally:
            self.delete(written, version)
        return True
