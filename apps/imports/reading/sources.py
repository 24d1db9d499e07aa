"""Where the bytes of an import come from: a file on disk or an address, with their SHA-256."""

import hashlib
import io
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from apps.changesets.processes.holding import scratch_folder
from apps.changesets.processes.web import FAILURES, TIMEOUT_SECONDS, reason_of, tried
from apps.imports.errors import SourceUnavailable
from apps.imports.results import FileIdentity

SIZE_LIMIT = 200 * 1024 * 1024
# Bytes that are no text become lone surrogates, so that a person sees where they are.
LENIENT = "surrogateescape"


@dataclass(frozen=True)
class SourceFile:
    """A file that can be read more than once, and what identifies it.

    `errors` says what becomes of bytes that are no text, as Python's codecs call it.
    """

    path: Path
    identity: FileIdentity
    errors: str = "strict"

    def open(self) -> io.BufferedReader:
        """Return the file's bytes as they are."""
        return self.path.open("rb")

    def start(self, size: int) -> bytes:
        """Return the first `size` bytes."""
        with self.open() as file:
            return file.read(size)


def unpacked_folder() -> AbstractContextManager[Path]:
    """Give a private folder for a file that is read more than once, until the end of the block."""
    return scratch_folder(Path(settings.VAR_DIR) / "unpacked", prefix="import-")


def from_path(path: str | Path, *, name: str = "") -> SourceFile:
    """Return the file at `path`; raises SourceUnavailable when it cannot be read."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except OSError as error:
        raise SourceUnavailable(f"{path} cannot be read: {error.strerror or error}.") from error
    return SourceFile(path=path, identity=FileIdentity(name=name or path.name, sha256=sha256, size=size))


@contextmanager
def from_url(url: str, *, wait: Callable[[float], None] = time.sleep) -> Iterator[SourceFile]:
    """Download `url` to a temporary file for the length of the block; raises SourceUnavailable in one sentence."""
    _require_https(url)
    with unpacked_folder() as folder:
        path = folder / "download"
        try:
            tried(lambda: _download(url, path), wait=wait)
        except FAILURES as error:
            raise SourceUnavailable(f"{url} cannot be fetched: {reason_of(error)}. Try --file.") from error
        yield from_path(path, name=url)


def _require_https(url: str) -> None:
    try:
        parts = urlsplit(url)
        local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    except ValueError:
        raise SourceUnavailable(f"{url} is not an address.") from None
    if parts.scheme != "https" and not local:
        raise SourceUnavailable(f"{url} is not an https address: only https is fetched.")


class _StayOnHttps(urllib.request.HTTPRedirectHandler):
    """Follows a redirection only to where a person could have sent us."""

    def redirect_request(self, request: Any, file: Any, code: int, message: str, headers: Any, url: str) -> Any:
        _require_https(url)
        return super().redirect_request(request, file, code, message, headers, url)


def _download(url: str, path: Path) -> None:
    request = urllib.request.Request(url, headers={"User-Agent": "travelmathlite-console"})  # noqa: S310 - https only
    opener = urllib.request.build_opener(_StayOnHttps)
    with opener.open(request, timeout=TIMEOUT_SECONDS) as answer, path.open("wb") as file:
        announced, size = answer.headers.get("Content-Length"), 0
        while block := answer.read(1 << 16):
            size += len(block)
            if size > SIZE_LIMIT:
                raise SourceUnavailable(f"{url} is larger than {SIZE_LIMIT // 2**20} MB: nothing was imported.")
            file.write(block)
    if announced is not None and announced.isdigit() and int(announced) != size:
        raise ConnectionError(f"{size} of {announced} bytes arrived")
