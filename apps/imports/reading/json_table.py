"""JSON as import-export writes it: a list of objects with the same keys, read one object after the other."""

import json
import re
from collections.abc import Iterator
from typing import Any, TextIO

from apps.imports.errors import CellRefused, EncodingRefused, FileDamaged, NoRows, NotATable, TooManyRows
from apps.imports.reading.encodings import codec_of, not_text
from apps.imports.reading.sources import SourceFile
from apps.imports.reading.streams import BLOCK, open_text
from apps.imports.reading.tables import CELL_CHARACTERS, RawChunk, Reading, in_chunks

ROW_LIMIT = 20_000
OBJECT_CHARACTERS = 4_000_000
_NO_SPACE = re.compile(r"[^ \t\n\r]")
_KINDS = {dict: "an object", list: "a list", str: "text or a number", bool: "true or false", type(None): "null"}


class _NoValue(Exception):
    """JSON, or Python's reader of it, allows this, and a table does not."""


def chunks_of(source: SourceFile, how: Reading, start: bytes) -> Iterator[RawChunk]:
    """Yield the keys as a chunk of their own, then the rows; raises FileRefused while they are read."""
    return in_chunks(_rows(source, how, start), source.identity.name)


def _rows(source: SourceFile, how: Reading, start: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yield the keys of the first object, then the values of each; lines count as they would below a header."""
    name = source.identity.name
    header: list[str] = []
    number = 0
    try:
        with open_text(source, codec_of(how.encoding, start)) as (text, _metered):
            for number, item in enumerate(_Items(text, name), start=1):
                if number > ROW_LIMIT:
                    raise TooManyRows(
                        f"{name} has more than {ROW_LIMIT:,} objects: JSON is read up to that, save the table as CSV."
                    )
                if not header:
                    header = list(item)
                    yield 1, header
                yield number + 1, _row(item, header, f"{name}, object {number}")
    except UnicodeDecodeError as error:
        raise not_text(name, how.encoding, f"after object {number} or so") from error
    if not number:
        raise NoRows(f"{name} is a list without objects: nothing can be imported from it.")


def _row(item: dict[str, Any], header: list[str], where: str) -> list[str]:
    unknown = next((key for key in item if key not in header), None) if item.keys() - set(header) else None
    if unknown is not None:
        raise NotATable(f"{where} has the key {unknown[:40]}, which the first object lacks: give all the same keys.")
    return [_text(item.get(key), f"{where}, {key[:40]}") for key in header]


def _text(value: Any, where: str) -> str:
    if value is None:
        return ""
    if value is True or value is False:
        return "true" if value else "false"
    if not isinstance(value, str):
        raise NotATable(f"{where} holds {_KINDS[type(value)]}, and a table has one value in a cell: take it apart.")
    if len(value) > CELL_CHARACTERS:
        raise CellRefused(f"{where}: a cell is longer than {CELL_CHARACTERS:,} characters; is a quote left open?")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise EncodingRefused(f"{where} holds half of a character (a lone surrogate): write it whole.") from None
    return value


class _Items:
    """The objects of a list, decoded one by one, so that the text is never held as a whole."""

    def __init__(self, text: TextIO, name: str) -> None:
        self._text = text
        self._name = name
        self._window = ""
        self._at = 0
        self._number = 0
        self._decoder = json.JSONDecoder(
            object_pairs_hook=_object, parse_constant=_refuse_constant, parse_int=str, parse_float=str
        )

    def __iter__(self) -> Iterator[dict[str, Any]]:
        if self._next_character() != "[":
            raise NotATable(f"{self._name} is JSON but no list of objects: write it as [{{...}}, {{...}}].")
        self._at += 1
        if self._next_character() != "]":
            while True:
                self._number += 1
                yield self._item()
                if self._next_character() != ",":
                    break
                self._at += 1
                self._next_character()
        if self._next_character() != "]":
            raise self._damaged("a comma or the closing ] is missing")
        self._at += 1
        if self._next_character():
            raise self._damaged("something stands behind the closing ]")

    def _next_character(self) -> str:
        """Return the next character that is no space, "" at the end, and stay before it."""
        while True:
            if some := _NO_SPACE.search(self._window, self._at):
                self._at = some.start()
                return some.group()
            self._at = len(self._window)
            if not self._read_on(BLOCK):
                return ""

    def _read_on(self, size: int) -> bool:
        block = self._text.read(size)
        self._window = self._window[self._at :] + block
        self._at = 0
        return bool(block)

    def _item(self) -> dict[str, Any]:
        where = f"{self._name}, object {self._number}"
        while True:
            try:
                item, end = self._decoder.raw_decode(self._window, self._at)
                break
            except json.JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated string") or error.pos >= len(self._window) - 16
                if len(self._window) - self._at > OBJECT_CHARACTERS:
                    raise CellRefused(
                        f"{where} is longer than {OBJECT_CHARACTERS:,} characters; is a quote left open?"
                    ) from error
                # Twice as much each time, so that a long object costs no more than its length.
                if not cut or not self._read_on(max(BLOCK, len(self._window))):
                    raise self._damaged(error.msg) from error
            except _NoValue as error:
                raise NotATable(f"{where}: {error}.") from error
            except RecursionError as error:
                raise NotATable(f"{where} is nested too deeply, and a table has one value in a cell.") from error
        if not isinstance(item, dict):
            raise NotATable(f"{where} is {_KINDS[type(item)]}, not an object: write the list as [{{...}}, {{...}}].")
        self._at = end
        return item

    def _damaged(self, why: str) -> FileDamaged:
        return FileDamaged(f"{self._name} is not JSON at object {self._number} or so ({why}): is it cut short?")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        keys = [key for key, _value in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _NoValue(f"the key {twice[:40]} stands there twice: remove one")
    return made


def _refuse_constant(constant: str) -> None:
    raise _NoValue(f"{constant} is no value: write null")
