"""How a file is to be read: by its first bytes, then its name, held against what a person chose."""

import codecs
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from apps.imports.errors import ChoiceContradicts, FileEmpty, FileLocked, FileTooLarge, NotATable
from apps.imports.reading import sources, zips
from apps.imports.reading.delimited import layout_of
from apps.imports.reading.encodings import codec_of, encoding_of
from apps.imports.reading.sources import SourceFile
from apps.imports.reading.streams import BLOCK, GZIP_MAGIC, open_bytes
from apps.imports.reading.tables import Reading, no_sheet

FORMATS = ("csv", "tsv", "xlsx", "ods", "json")
_ZIP_MAGIC = b"PK"
_OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_NO_TABLES = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
    (b"{\\rtf", "an RTF document"),
)
_JSON_ENDINGS = ("json", "jsonl", "ndjson")
_JSON = re.compile(r'\s*(\[\s*[\[{\]]|\{\s*["}])')
_MARKUP = re.compile(r"\s*<(!doctype|html|\?xml)", re.IGNORECASE)


@dataclass(frozen=True)
class Detected:
    """How a file is read, and its first bytes as they are after unpacking gzip."""

    how: Reading
    start: bytes


def detect(source: SourceFile, chosen: Reading) -> Detected:
    """Find out how to read `source`; raises FileRefused for what is no table, or contradicts what was chosen."""
    name = source.identity.name
    if chosen.format and chosen.format not in FORMATS:
        raise ChoiceContradicts(f"{chosen.format} is not a format that is read: choose one of {', '.join(FORMATS)}.")
    if source.identity.size > sources.SIZE_LIMIT:
        mb = sources.SIZE_LIMIT // 2**20
        raise FileTooLarge(f"{name} is larger than {mb} MB: split it, or compress it as CSV with gzip.")
    start = source.start(BLOCK)
    if not start:
        raise FileEmpty(f"{name} is empty.")
    _refuse_other_kinds(name, start)
    if start.startswith(_ZIP_MAGIC) and start[2:4] in (b"\x03\x04", b"\x05\x06"):
        kind = zips.kind_of(source)
        _agree(name, chosen.format, kind)
        return Detected(Reading(format=kind, header=chosen.header, sheet=chosen.sheet), start)
    if start.startswith(GZIP_MAGIC):
        start = _unpacked(source)
    return _text(source, start, chosen)


def _refuse_other_kinds(name: str, start: bytes) -> None:
    for magic, kind in _NO_TABLES:
        if start.startswith(magic):
            raise NotATable(f"{name} is {kind}, not a table: save the table as CSV or XLSX.")
    if start.startswith(_OLE_MAGIC):
        if "EncryptedPackage".encode("utf-16-le") in start:
            raise FileLocked(f"{name} is protected by a password: save it without one.")
        raise NotATable(f"{name} is an old Excel file (.xls) or another old Office file: save it as XLSX or CSV.")


def _unpacked(source: SourceFile) -> bytes:
    """Return the first bytes inside a gzip file."""
    name = source.identity.name
    start = b""
    with open_bytes(source) as file:
        while len(start) < BLOCK and (block := file.read1(BLOCK)):
            start += block
    if not start:
        raise FileEmpty(f"{name} is empty.")
    _refuse_other_kinds(name, start)
    if start.startswith((b"PK\x03\x04", GZIP_MAGIC)):
        raise NotATable(f"{name} is a gzip file with another packed file inside: unpack it first.")
    return start


def _text(source: SourceFile, start: bytes, chosen: Reading) -> Detected:
    """Settle encoding, format and delimiter of a text file."""
    name = source.identity.name
    encoding = encoding_of(source, start, chosen.encoding)
    decoder = codecs.getincrementaldecoder(codec_of(encoding, start))("replace")
    sample = decoder.decode(start)
    if _MARKUP.match(sample):
        raise NotATable(f"{name} is a web page or XML, not a table: save the table as CSV or XLSX.")
    ending = _ending(name)
    by_content = "json" if _JSON.match(sample) or (ending in _JSON_ENDINGS and chosen.format in ("", "json")) else ""
    if chosen.sheet:
        raise no_sheet(name, chosen.sheet)
    if by_content or chosen.format in ("json", "xlsx", "ods"):
        _agree(name, chosen.format, by_content or "csv")
        return Detected(Reading(format="json", encoding=encoding), start)
    expected = "\t" if ending in ("tsv", "tab") else ","
    delimiter, header = layout_of(sample, chosen, name, expected=expected)
    form = chosen.format or ("tsv" if delimiter == "\t" else "csv")
    return Detected(Reading(form, encoding, delimiter, header), start)


def _ending(name: str) -> str:
    """Return the last part of a file name that tells the format, in lower case; .gz tells none."""
    path = PurePosixPath(name.partition("?")[0])
    parts = [suffix.lstrip(".").lower() for suffix in path.suffixes]
    return next((part for part in reversed(parts) if part != "gz"), "")


def _agree(name: str, chosen: str, kind: str) -> None:
    if chosen and chosen != kind:
        raise ChoiceContradicts(
            f"{name} is {kind.upper()}, not {chosen.upper()}: choose {kind.upper()}, or let it be found out."
        )
