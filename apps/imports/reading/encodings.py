"""Which encoding a text file is in: by its byte order mark, by NUL bytes, or by whether its bytes are UTF-8."""

import codecs
from collections.abc import Iterator

from apps.imports.errors import ChoiceContradicts, EncodingRefused, NotATable
from apps.imports.reading.sources import SourceFile
from apps.imports.reading.streams import BLOCK, open_bytes

ENCODINGS = ("utf-8", "utf-16", "cp1252")
# How many characters beyond ASCII decide; a file with fewer is read to its end.
_EVIDENCE = 64
_UTF16_MARKS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def encoding_of(source: SourceFile, start: bytes, chosen: str) -> str:
    """Return one of ENCODINGS; raises ChoiceContradicts when `start`, the first bytes unpacked, says another one."""
    name = source.identity.name
    if chosen and chosen not in ENCODINGS:
        raise ChoiceContradicts(f"{chosen} is not an encoding that is read: choose one of {', '.join(ENCODINGS)}.")
    evident = _evident(start, name)
    if chosen and (evident or chosen) != chosen:
        raise ChoiceContradicts(f"{name} is encoded as {evident}, not {chosen}: choose {evident}, or let it be found.")
    if chosen == "utf-16" and not evident:
        raise ChoiceContradicts(f"{name} is not encoded as utf-16: choose utf-8 or cp1252, or let it be found out.")
    return chosen or evident or _by_content(_blocks(source))


def codec_of(encoding: str, start: bytes) -> str:
    """Return the name of Python's codec that reads the encoding from the first byte on, without its mark."""
    if encoding == "utf-16":
        return "utf-16" if _mark(start) else _without_mark(start)
    return "utf-8-sig" if encoding == "utf-8" else encoding


def not_text(name: str, encoding: str, where: str) -> EncodingRefused:
    """Return the error for bytes that the encoding does not have, `where` they are."""
    if encoding == "utf-8":
        hint = "save it as UTF-8, or choose the encoding it is in, such as cp1252"
    else:
        hint = "save it as UTF-8"
    return EncodingRefused(f"{name} is not {encoding.upper()} {where}: {hint}.")


def _evident(start: bytes, name: str) -> str:
    """Return the encoding that the first bytes prove, or ""."""
    if start.startswith((codecs.BOM_UTF32_LE, b"\x00\x00\xfe\xff")):
        raise EncodingRefused(f"{name} is encoded as UTF-32: save it as UTF-8.")
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8"
    if _mark(start) or _without_mark(start):
        return "utf-16"
    # A stray NUL in a cell is the row's matter.
    if start.count(0) > max(8, len(start) // 500):
        raise NotATable(f"{name} is not a text file but binary data: save the table as CSV or XLSX.")
    return ""


def _mark(start: bytes) -> str:
    return next((codec for mark, codec in _UTF16_MARKS if start.startswith(mark)), "")


def _without_mark(start: bytes) -> str:
    """Recognise UTF-16 without a mark: every other byte of plain letters, digits and commas is NUL."""
    pairs = min(len(start), 4096) // 2
    even, odd = start[: pairs * 2 : 2].count(0), start[1 : pairs * 2 : 2].count(0)
    if odd * 3 > pairs and even * 20 < pairs:
        return "utf-16-le"
    return "utf-16-be" if even * 3 > pairs and odd * 20 < pairs else ""


def _blocks(source: SourceFile) -> Iterator[bytes]:
    with open_bytes(source) as file:
        while block := file.read1(BLOCK):
            yield block


def _by_content(blocks: Iterator[bytes]) -> str:
    """Decide between UTF-8 and cp1252 by the first characters beyond ASCII, wherever in the file they come.

    A file that is mostly UTF-8 stays UTF-8, so that its damaged place is refused and not made into other letters.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    good = bad = 0
    for block in blocks:
        text = decoder.decode(block)
        if text.isascii():
            continue
        odd = [character for character in text if character > "\x7f"]
        escaped = sum("\udc80" <= character <= "\udcff" for character in odd)
        bad += escaped
        good += len(odd) - escaped
        if good + bad >= _EVIDENCE:
            break
    else:
        bad += len(decoder.decode(b"", final=True))
    return "cp1252" if bad > good else "utf-8"
