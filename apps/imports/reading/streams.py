"""The bytes of a text file: unpacked when they are gzip, and never more of them than the limits allow."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from apps.imports.errors import FileDamaged, FileTooLarge
from apps.imports.reading.sources import SourceFile

INFLATED_LIMIT = 1024 * 1024 * 1024
GZIP_MAGIC = b"\x1f\x8b"
BLOCK = 1 << 16


class Metered(io.BufferedIOBase):
    """Bytes read from `file`, counted; raises FileTooLarge beyond INFLATED_LIMIT, or beyond what `allow` gave."""

    def __init__(self, file: io.BufferedReader | gzip.GzipFile, name: str) -> None:
        self._file = file
        self.name = name
        self.total = 0
        self._allowed = INFLATED_LIMIT
        self._too_much = ""
        self._before = 0

    def allow(self, size: int, sentence: str) -> None:
        """Refuse with `sentence` when more than `size` bytes are asked for from now on."""
        self._before = self.total
        self._allowed = self.total + size
        self._too_much = sentence

    def rows_that_fit(self, rows: int, size: int, most: int) -> int:
        """Return how many rows like the last `rows`, those read since `allow`, fill a quarter of `size` bytes."""
        return max(1, min(most, rows * size // 4 // max(1, self.total - self._before)))

    def readable(self) -> bool:
        """Say that this can be read, as io.TextIOWrapper asks."""
        return True

    def read1(self, size: int = -1, /) -> bytes:
        """Return some bytes, at least one unless the file ends."""
        block = self._file.read1(size)
        self.total += len(block)
        if self.total > INFLATED_LIMIT:
            mb = INFLATED_LIMIT // 2**20
            raise FileTooLarge(f"{self.name} unpacks to more than {mb} MB: split it into smaller files.")
        if self.total > self._allowed:
            raise FileTooLarge(self._too_much)
        return block

    def read(self, size: int | None = -1, /) -> bytes:
        """Return some bytes, as `read1` does."""
        return self.read1(BLOCK if size is None or size < 0 else size)


@contextmanager
def open_bytes(source: SourceFile) -> Iterator[Metered]:
    """Open the bytes of a text file for the length of the block; raises FileDamaged when they end too early."""
    name = source.identity.name
    try:
        with source.open() as packed:
            if source.start(2) == GZIP_MAGIC:
                with gzip.GzipFile(fileobj=packed, mode="rb") as file:
                    yield Metered(file, name)
            else:
                yield Metered(packed, name)
    except (EOFError, zlib.error, OSError) as error:
        raise FileDamaged(f"{name} is damaged or cut short ({error}): fetch it again.") from error


@contextmanager
def open_text(source: SourceFile, codec: str) -> Iterator[tuple[io.TextIOWrapper, Metered]]:
    """Open the text of a file for the length of the block, line ends as they are."""
    with (
        open_bytes(source) as metered,
        io.TextIOWrapper(metered, encoding=codec, errors=source.errors, newline="") as text,
    ):
        yield text, metered
