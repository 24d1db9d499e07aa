"""The files of runs: kept in a storage of their own, under the hash of their content, compressed where they are not."""

import gzip
import io
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from django.core.files import File
from django.core.files.storage import Storage, storages

from apps.imports.errors import FileIsGone
from apps.imports.models import ImportRun
from apps.imports.reading.sources import LENIENT, SourceFile, from_path, unpacked_folder
from apps.imports.results import FileIdentity, ImportOptions

# The quickest: packing as tightly as can be would take as long as comparing the rows.
_GZIP_LEVEL = 1
_PACKED, _AS_IT_IS = ".gz", ".file"
# How files begin that are compressed already: gzip, and the zip that spreadsheets are.
_COMPRESSED = (b"\x1f\x8b", b"PK")
_NOT_LINES = (*_COMPRESSED, b"[", b"{")
_SAMPLE = 256 * 1024


def storage() -> Storage:
    """Return the storage of imported files."""
    return storages["imports"]


def keep_file(source: SourceFile) -> str:
    """Keep the bytes of `source` and return their name in the storage; the same bytes are kept once."""
    name = f"{source.identity.sha256}{_AS_IT_IS if source.start(2) in _COMPRESSED else _PACKED}"
    if storage().exists(name):
        return name
    with source.open() as plain:
        if name.endswith(_AS_IT_IS):
            return storage().save(name, File(plain))
        with tempfile.TemporaryFile(prefix="import-") as packed:
            with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=_GZIP_LEVEL) as out:
                shutil.copyfileobj(plain, out, 1 << 20)
            packed.seek(0)
            return storage().save(name, File(packed))


def remember_file(
    run: ImportRun, source: SourceFile, options_for: Callable[[SourceFile], ImportOptions]
) -> ImportOptions:
    """Keep the file of a run that began before it was there, write down which it is, and return how it is taken."""
    run.file_name = source.identity.name[:500]
    run.file_sha256, run.file_size = source.identity.sha256, source.identity.size
    run.kept_as = keep_file(source)
    try:
        options = options_for(source)
        run.options = options.as_json()
        return options
    finally:
        run.save(update_fields=["file_name", "file_sha256", "file_size", "how", "options", "kept_as"])


@contextmanager
def _opened(name: str) -> Iterator[IO[bytes]]:
    """Open a kept file, unpacked."""
    with storage().open(name, "rb") as kept:
        if name.endswith(_AS_IT_IS):
            yield cast("IO[bytes]", kept)
            return
        with gzip.open(cast("IO[bytes]", kept), "rb") as plain:
            yield cast("IO[bytes]", plain)


def estimate_rows(run: ImportRun) -> int | None:
    """Return about how many rows the kept file of a run has, estimated from its beginning; None where that fails."""
    if not run.kept_as or not storage().exists(run.kept_as):
        return None
    with _opened(run.kept_as) as plain:
        start = plain.read(_SAMPLE)
    lines = start.count(b"\n")
    if not lines or start.startswith(_NOT_LINES):
        return None
    return max(round(run.file_size * lines / len(start)) - 1, 1)


@contextmanager
def kept_file(run: ImportRun) -> Iterator[SourceFile]:
    """Open the file of a run as it was uploaded, for the length of the block.

    Raises FileIsGone when it is not kept any more, or is no longer what was uploaded.
    """
    if not run.kept_as or not storage().exists(run.kept_as):
        raise FileIsGone(f"{run.file_name} is not kept any more: upload it again.")
    with unpacked_folder() as folder:
        path = folder / "file"
        with _opened(run.kept_as) as plain, path.open("wb") as out:
            shutil.copyfileobj(plain, out, 1 << 20)
        source = from_path(path, name=run.file_name)
        if source.identity != FileIdentity(run.file_name, run.file_sha256, run.file_size):
            raise FileIsGone(f"{run.file_name} is no longer what was uploaded (its SHA-256 differs): upload it again.")
        yield source


@dataclass(frozen=True)
class _KeptFile(SourceFile):
    """A file as it is kept, unpacked while it is read: who needs its beginning reads no more."""

    def open(self) -> io.BufferedReader:
        kept = storage().open(self.path.name, "rb")
        return cast("io.BufferedReader", kept if self.path.name.endswith(_AS_IT_IS) else _Unpacking(fileobj=kept))


class _Unpacking(gzip.GzipFile):
    """Closes what it unpacks, too."""

    def __init__(self, fileobj: File) -> None:
        super().__init__(fileobj=cast("IO[bytes]", fileobj), mode="rb")
        self._packed = fileobj

    def close(self) -> None:
        super().close()
        self._packed.close()


def beginning_of(run: ImportRun) -> SourceFile:
    """Return the file of a run to be looked at: neither read to its end nor compared with what was uploaded.

    Bytes that are no text are passed on as lone surrogates. Raises FileIsGone.
    """
    if not run.kept_as or not storage().exists(run.kept_as):
        raise FileIsGone(f"{run.file_name} is not kept any more: upload it again.")
    identity = FileIdentity(run.file_name, run.file_sha256, run.file_size)
    return _KeptFile(Path(run.kept_as), identity, errors=LENIENT)


def forget_file(run: ImportRun) -> None:
    """Remove the file of a run, unless another run has the same one; the run says that it is gone."""
    name, run.kept_as = run.kept_as, ""
    run.save(update_fields=["kept_as"])
    if name and not ImportRun.objects.filter(kept_as=name).exists():
        storage().delete(name)
