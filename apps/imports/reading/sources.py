"""Where the bytes of an import come from: a file on disk or an address, with their SHA-256."""

import base64
import hashlib
import io
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings

from apps.changesets.processes.holding import scratch_folder
from apps.changesets.processes.web import FAILURES, TIMEOUT_SECONDS, opener, reason_of, tried
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


def shown_address(url: str) -> str:
    """Return an address as it is kept and shown: user, password and query may be secrets."""
    try:
        parts = urlsplit(url)
        # What comes before a host that has no port that can be may be a password.
        _ = parts.port
    except ValueError:
        return "What was given"
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


@contextmanager
def from_url(url: str, *, wait: Callable[[float], None] = time.sleep) -> Iterator[SourceFile]:
    """Download `url` to a temporary file for the length of the block; raises SourceUnavailable in one sentence.

    A user and a password in it are sent to its own host only.
    """
    _require_https(url)
    with unpacked_folder() as folder:
        path = folder / "download"
        try:
            tried(lambda: _download(url, path), wait=wait)
        except FAILURES as error:
            shown = shown_address(url)
            raise SourceUnavailable(f"{shown} cannot be fetched: {reason_of(error)}. Try --file.") from error
        yield from_path(path, name=shown_address(url))


def _require_https(url: str) -> None:
    shown = shown_address(url)
    try:
        parts = urlsplit(url)
        local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
        _ = parts.port
    except ValueError:
        raise SourceUnavailable(f"{shown} is not an address.") from None
    if parts.scheme != "https" and not local:
        raise SourceUnavailable(f"{shown} is not an https address: only https is fetched.")


class _StayOnHttps(urllib.request.HTTPRedirectHandler):
    """Follows a redirection only to where a person could have sent us."""

    def redirect_request(self, request: Any, file: Any, code: int, message: str, headers: Any, url: str) -> Any:
        _require_https(url)
        return super().redirect_request(request, file, code, message, headers, url)


def _why_not_private(request: urllib.request.Request) -> str:
    """Return why a request may not lead into a private network: a person chose the first address, no other one."""
    allowed = settings.IMPORTS_URL_PRIVATE or not request.unverifiable
    return "" if allowed else "it leads into a private network, which only IMPORTS_URL_PRIVATE=true allows"


def _request(url: str) -> urllib.request.Request:
    parts = urlsplit(url)
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    request = urllib.request.Request(bare, headers={"User-Agent": "travelmathlite-console"})  # noqa: S310 - https only
    if parts.username is not None:
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_unredirected_header("Authorization", f"Basic {base64.b64encode(secret.encode()).decode()}")
    return request


def _download(url: str, path: Path) -> None:
    with (
        opener(_why_not_private, _StayOnHttps()).open(_request(url), timeout=TIMEOUT_SECONDS) as answer,
        path.open("wb") as file,
    ):
        announced, size = answer.headers.get("Content-Length"), 0
        while block := answer.read(1 << 16):
            size += len(block)
            if size > SIZE_LIMIT:
                mb = SIZE_LIMIT // 2**20
                raise SourceUnavailable(f"{shown_address(url)} is larger than {mb} MB: nothing was imported.")
            file.write(block)
    if announced is not None and announced.isdigit() and int(announced) != size:
        raise ConnectionError(f"{size} of {announced} bytes arrived")
