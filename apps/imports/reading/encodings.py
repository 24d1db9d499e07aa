"""Which encoding a text file is in: by its byte order mark, by NUL bytes, or by whether its bytes are UTF-8."""

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

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
# Taken for the encoding of a file of which nothing can be guessed.
OTHERWISE = "cp1252"
_CODECS = {codecs.lookup(name).name: name for name in ENCODINGS} | {"shift_jis": "cp932", "gb2312": "gb18030"}
# What needs no letters to be told; "" where a file is no text.
SURE = ("", "utf-8", "utf-16")
# How many characters beyond ASCII decide; a file with fewer is read to its end.
_EVIDENCE = 64
_GUESSED_FROM = 4096
_WORDS = 6
# Spaces, and the signs of ASCII.
_BETWEEN_WORDS = re.compile(r"[\s!-/:-@\[-`{-~]+")
_UTF16_MARKS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@dataclass(frozen=True)
class Likely:
    """An encoding that bytes may be in, how sure that is, from 0 to 1, and some words as they would be read."""

    encoding: str
    sure: float
    words: tuple[str, ...]


def encoding_of(source: SourceFile, start: bytes, chosen: str) -> str:
    """Return one of ENCODINGS; raises ChoiceContradicts when `start`, the first bytes unpacked, says another one."""
    name = source.identity.name
    evident = _evident(start, name)
    if chosen in ("", UNICODE):
        if evident or _is_utf8(_blocks(source)):
            return evident or "utf-8"
        guesses = likely_encodings(letters_of(source))
        if chosen:
            such = " or ".join(f"{guess.encoding} ({guess.words[0]})" for guess in guesses[:3]) or OTHERWISE
            raise EncodingRefused(f"{name} is neither UTF-8 nor UTF-16: give its --encoding, such as {such}.")
        return guesses[0].encoding if guesses else OTHERWISE
    known = _known(chosen)
    if known is None:
        raise ChoiceContradicts(f"{chosen} is not an encoding that is read: choose one of {', '.join(ENCODINGS)}.")
    if evident and evident != known:
        raise ChoiceContradicts(f"{name} is encoded as {evident}, not {known}: choose {evident}, or let it be found.")
    if known == "utf-16" and not evident:
        raise ChoiceContradicts(f"{name} is not encoded as utf-16: choose utf-8 or cp1252, or let it be found out.")
    return known


def letters_of(source: SourceFile) -> bytes:
    """Return the first lines with characters beyond ASCII, as their bytes are: enough of them to guess from."""
    lines: list[bytes] = []
    for block in _blocks(source):
        if not block.isascii():
            lines += [line for line in block.splitlines() if not line.isascii()]
        if sum(map(len, lines)) >= _GUESSED_FROM:
            break
    return b"\n".join(lines)[:_GUESSED_FROM]


def likely_encodings(letters: bytes) -> list[Likely]:
    """Return the encodings in which bytes beyond ASCII are letters, the likeliest first."""
    # Here, since it takes longer to load than most commands need to start.
    import chardet

    likely: dict[str, Likely] = {}
    for guess in chardet.detect_all(letters, ignore_threshold=True):
        encoding = _known(guess["encoding"] or "")
        if encoding and encoding not in likely and (words := words_in(letters, encoding)) and words[0].isalpha():
            likely[encoding] = Likely(encoding, guess["confidence"], tuple(words))
    return list(likely.values())


def words_in(letters: bytes, encoding: str) -> list[str]:
    """Return the first words with letters beyond ASCII as the encoding reads them."""
    text = codecs.getincrementaldecoder(encoding)("replace").decode(letters)
    return words_beyond_ascii(_BETWEEN_WORDS.split(text))


def words_beyond_ascii(words: Iterable[str]) -> list[str]:
    """Return the first few different ones that are not of ASCII alone, cut short."""
    return list(dict.fromkeys(word[:20] for word in words if not word.isascii()))[:_WORDS]


def _known(encoding: str) -> str | None:
    try:
        return _CODECS.get(codecs.lookup(encoding).name)
    except LookupError:
        return None


def codec_of(encoding: str, start: bytes) -> str:
    """Return the name of Python's codec that reads the encoding from the first byte on, without its mark."""
    if encoding == "utf-16":
        return "utf-16" if _mark(start) else _without_mark(start)
    return "utf-8-sig" if encoding == "utf-8" else encoding


def not_text(source: SourceFile, encoding: str, start: bytes) -> EncodingRefused:
    """Return the error for a file with bytes that the encoding does not have; it names their line."""
    if encoding == "utf-8":
        hint = "save it as UTF-8, or choose the encoding it is in, such as cp1252"
    else:
        hint = "save it as UTF-8"
    line = _unreadable_from(source, codec_of(encoding, start))
    return EncodingRefused(f"{source.identity.name} is not {encoding.upper()} from line {line} on: {hint}.")


def _unreadable_from(source: SourceFile, codec: str) -> int:
    """Return the line of the first bytes that the codec does not have."""
    decoder = codecs.getincrementaldecoder(codec)()
    line = 1
    for block in _blocks(source):
        before = decoder.getstate()
        try:
            line += _line_ends(decoder.decode(block))
        except UnicodeDecodeError as error:
            # What is wrong may have begun in the block before: its bytes are held back.
            decoder.setstate(before)
            return line + _line_ends(decoder.decode(block[: max(0, error.start - len(before[0]))]))
    return line


def _line_ends(text: str) -> int:
    return text.count("\n") or text.count("\r")


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


def _is_utf8(blocks: Iterator[bytes]) -> bool:
    """Decide by the first characters beyond ASCII.

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
    return bad <= good
