"""Which encoding a text file is in: by its byte order mark, by NUL bytes, or by whether its bytes are UTF-8."""

import codecs
import re
from collections.abc import Iterator

from apps.imports.errors import ChoiceContradicts, EncodingRefused, NotATable
from apps.imports.reading.sources import SourceFile
from apps.imports.reading.streams import BLOCK, open_bytes

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Windows-1252 (Western European)",
    "cp1250": "Windows-1250 (Central European)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "cp1253": "Windows-1253 (Greek)",
    "cp1254": "Windows-1254 (Turkish)",
    "iso8859-2": "Latin-2 (Central European)",
    "mac-roman": "Mac Roman (Western European)",
    "koi8-r": "KOI8-R (Cyrillic)",
    "cp932": "Shift-JIS (Japanese)",
    "gb18030": "GB 18030 (Chinese)",
    "big5": "Big5 (Chinese)",
    "euc_kr": "EUC-KR (Korean)",
}
# Chosen where nobody can look at the letters: UTF-8 or UTF-16, and any other is refused.
UNICODE = "unicode"
_CODECS = {codecs.lookup(name).name: name for name in ENCODINGS} | {"shift_jis": "cp932", "gb2312": "gb18030"}
# How many characters beyond ASCII decide; a file with fewer is read to its end.
_EVIDENCE = 64
_GUESSED_FROM = 4096
_UTF16_MARKS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def encoding_of(source: SourceFile, start: bytes, chosen: str) -> str:
    """Return one of ENCODINGS; raises ChoiceContradicts when `start`, the first bytes unpacked, says another one."""
    name = source.identity.name
    evident = _evident(start, name)
    if chosen in ("", UNICODE):
        found, letters = (evident, b"") if evident else _by_content(_blocks(source))
        if chosen and found == "cp1252":
            raise EncodingRefused(
                f"{name} is neither UTF-8 nor UTF-16: give its --encoding, such as {_likely(letters)}."
            )
        return found
    known = _known(chosen)
    if known is None:
        raise ChoiceContradicts(f"{chosen} is not an encoding that is read: choose one of {', '.join(ENCODINGS)}.")
    if evident and evident != known:
        raise ChoiceContradicts(f"{name} is encoded as {evident}, not {known}: choose {evident}, or let it be found.")
    if known == "utf-16" and not evident:
        raise ChoiceContradicts(f"{name} is not encoded as utf-16: choose utf-8 or cp1252, or let it be found out.")
    return known


def _likely(letters: bytes) -> str:
    """Return the encodings that bytes beyond ASCII are most likely in, each with a word as it would be read."""
    # Here, since it takes longer to load than most commands need to start.
    import chardet

    lines = b"\n".join(line for line in letters.splitlines() if not line.isascii())[:_GUESSED_FROM]
    words: dict[str, str] = {}
    for guess in chardet.detect_all(lines, ignore_threshold=True):
        encoding = _known(guess["encoding"] or "")
        if encoding and encoding not in words and (word := _first_word(lines, encoding)):
            words[encoding] = word
    return " or ".join(f"{encoding} ({word})" for encoding, word in list(words.items())[:3]) or "cp1252"


def _known(encoding: str) -> str | None:
    try:
        return _CODECS.get(codecs.lookup(encoding).name)
    except LookupError:
        return None


def _first_word(lines: bytes, encoding: str) -> str:
    """Return the first word with letters beyond ASCII, "" where the encoding does not read them as letters."""
    text = codecs.getincrementaldecoder(encoding)("replace").decode(lines)
    word = next((word for word in re.split(r"[\s,;|^\"'.()/-]+", text) if not word.isascii()), "")[:20]
    return word if word.isalpha() else ""


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


def _by_content(blocks: Iterator[bytes]) -> tuple[str, bytes]:
    """Decide between UTF-8 and cp1252 by the first characters beyond ASCII, and return the first block with any.

    A file that is mostly UTF-8 stays UTF-8, so that its damaged place is refused and not made into other letters.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    good = bad = 0
    letters = b""
    for block in blocks:
        text = decoder.decode(block)
        if text.isascii():
            continue
        letters = letters or block
        odd = [character for character in text if character > "\x7f"]
        escaped = sum("\udc80" <= character <= "\udcff" for character in odd)
        bad += escaped
        good += len(odd) - escaped
        if good + bad >= _EVIDENCE:
            break
    else:
        bad += len(decoder.decode(b"", final=True))
    return ("cp1252" if bad > good else "utf-8"), letters
