"""The caches that processes share: in Redis where several machines do, else in files."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.filebased import FileBasedCache

# So long a page waits for Redis.
PATIENCE_SECONDS = 2


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


def caches_of(url: str, *, folder: Path) -> dict[str, dict[str, Any]]:
    """Return Django's dictionary of caches: those that processes share are in this Redis, or in files."""
    # Figures and maps that are dear to work out, remembered for one state of the tables; the largest is half a MB.
    figures = _shared("figures", url, folder, "django.core.cache.backends.filebased.FileBasedCache", entries=150)
    # Beyond its limit a cache in files drops entries at random, heartbeats among them.
    progress = _shared("progress", url, folder, "travelmathlite.caching.FileCache", entries=100_000)
    own = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    return {"default": own, "figures": figures, "progress": progress}


def _shared(name: str, url: str, folder: Path, backend: str, *, entries: int) -> dict[str, Any]:
    week = {"TIMEOUT": 7 * 24 * 3600}
    if url:
        redis = "django.core.cache.backends.redis.RedisCache"
        # A server that is away is seen as such: without a limit each page would wait for it.
        patience = dict.fromkeys(("socket_connect_timeout", "socket_timeout"), PATIENCE_SECONDS)
        return {**week, "BACKEND": redis, "LOCATION": url, "KEY_PREFIX": name, "OPTIONS": patience}
    return {**week, "BACKEND": backend, "LOCATION": folder / name, "OPTIONS": {"MAX_ENTRIES": entries}}
