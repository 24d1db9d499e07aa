"""Sheets are zip archives: which kind one is, and its parts, read within limits."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO

from apps.imports.errors import FileDamaged, FileLocked, FileTooLarge, NotATable
from apps.imports.reading.sources import SourceFile

INFLATED_LIMIT = 600 * 1024 * 1024
PART_LIMIT = 16 * 1024 * 1024
DIRECTORY_LIMIT = 4 * 1024 * 1024
_ODS = b"application/vnd.oasis.opendocument.spreadsheet"
_OTHER_KINDS = (
    ("xl/workbook.bin", "a binary Excel file (.xlsb)"),
    ("word/", "a Word document"),
    ("ppt/", "a PowerPoint file"),
)


class Archive:
    """The parts of a zip archive, read within the limits."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._archive = archive
        self._read = 0
        self.name = name
        self.parts = {info.filename: info for info in archive.infolist()}
        # The directory may give wrong sizes, so they are counted again while reading.
        self._refuse_beyond(sum(info.file_size for info in self.parts.values()))

    def blocks(self, part: str, *, limit: int = INFLATED_LIMIT) -> Iterator[bytes]:
        """Yield the bytes of a part; raises FileTooLarge when they are more than `limit`."""
        size = 0
        with self._open(part) as file:
            while block := file.read(1 << 16):
                size += len(block)
                self._read += len(block)
                self._refuse_beyond(self._read)
                if size > limit:
                    raise FileTooLarge(
                        f"{self.name} has more than {limit // 2**20} MB in its part {part}: save the table as CSV."
                    )
                yield block

    def small(self, part: str) -> bytes:
        """Return the bytes of a part that describes the others."""
        return b"".join(self.blocks(part, limit=PART_LIMIT))

    def _open(self, part: str) -> IO[bytes]:
        info = self.parts.get(part)
        if info is None:
            raise FileDamaged(f"{self.name} lacks its part {part}: save it again.")
        if info.flag_bits & 1:
            raise FileLocked(f"{self.name} is protected by a password: save it without one.")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise FileDamaged(f"{self.name} is packed in an unusual way: save it again.")
        return self._archive.open(info)

    def _refuse_beyond(self, size: int) -> None:
        if size > INFLATED_LIMIT:
            raise FileTooLarge(f"{self.name} unpacks to more than {INFLATED_LIMIT // 2**20} MB: save the table as CSV.")


@contextmanager
def open_archive(source: SourceFile) -> Iterator[Archive]:
    """Open a zip archive for the length of the block; raises FileDamaged when it is none."""
    name = source.identity.name
    try:
        with source.open() as file, _opened(file, name) as archive:
            yield Archive(archive, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, struct.error) as error:
        raise FileDamaged(f"{name} is damaged or cut short ({error}): save or fetch it again.") from error


def _opened(file: BinaryIO, name: str) -> zipfile.ZipFile:
    # zipfile holds the whole directory as objects; its own finder is asked, so that both mean the same directory.
    end = zipfile._EndRecData(file)  # type: ignore[attr-defined]  # private, so no stub has it
    if end is not None and end[5] > DIRECTORY_LIMIT:
        raise FileTooLarge(f"{name} has too many parts for a table: save the table as CSV.")
    try:
        return zipfile.ZipFile(file)
    except (ValueError, NotImplementedError) as error:
        raise zipfile.BadZipFile(str(error)) from error


def kind_of(source: SourceFile) -> str:
    """Return xlsx or ods; raises NotATable, naming what the archive is instead."""
    name = source.identity.name
    with open_archive(source) as archive:
        parts = archive.parts
        if "mimetype" in parts and archive.small("mimetype").startswith(_ODS):
            return "ods"
        sheets = any(part.startswith("xl/") for part in parts) and "xl/workbook.bin" not in parts
        if "[Content_Types].xml" in parts and sheets:
            return "xlsx"
        kind = next((kind for start, kind in _OTHER_KINDS if any(part.startswith(start) for part in parts)), "")
        if not kind:
            kind = "an OpenDocument text or drawing" if "mimetype" in parts else "a zip file"
        hint = "unpack it and choose the table inside" if kind == "a zip file" else "save the table as XLSX or CSV"
        raise NotATable(f"{name} is {kind}, not a table: {hint}.")
