"""JSON that is a table: a list of objects, objects by their keys, or an object on each line; read one by one."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from itertools import chain, islice
from typing import Any, TextIO

from apps.imports.errors import CellRefused, EncodingRefused, FileDamaged, NoRows, NotATable
from apps.imports.reading.encodings import codec_of, not_text
from apps.imports.reading.sources import SourceFile
from apps.imports.reading.streams import BLOCK, open_text
from apps.imports.reading.tables import CELL_CHARACTERS, Nested, RawChunk, Reading, in_chunks

# The keys of the objects among so many characters are the columns, of these so many at most.
BEGINNING_CHARACTERS = 1_000_000
COLUMNS = 1000
# An object with so few keys in all rows is a part of its row, one with more is a table of its own.
INNER_KEYS = 8
LATER_TITLES = 30
OBJECT_CHARACTERS = 4_000_000
KEY, OTHER_KEY = "key", "(key)"
_BY_KEY = re.compile(r'\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\{')
# A list under a key, with texts and numbers before it at most.
_WRAPPED = re.compile(
    r'\{(?:\s*"(?:[^"\\]|\\.)*"\s*:\s*(?:"(?:[^"\\]|\\.)*"|[^\s"\[\]{},]+)\s*,)*'
    r'\s*"(?:[^"\\]|\\.)*"\s*:\s*(?=\[\s*\{)'
)
_LINES = re.compile(r"\.(jsonl|ndjson)(\.gz)?$", re.IGNORECASE)
_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
_NO_SPACE = re.compile(r"[^ \t\n\r]")
_KINDS = {dict: "an object", list: "a list", str: "text or a number", bool: "true or false", type(None): "null"}


class _NoValue(Exception):
    """JSON, or Python's reader of it, allows this, and a table does not."""


def chunks_of(source: SourceFile, how: Reading, start: bytes) -> Iterator[RawChunk]:
    """Yield the keys as a chunk of their own, then the rows; raises FileRefused while they are read."""
    later: dict[str, None] = {}
    for chunk in in_chunks(_rows(source, how, start, later), source.identity.name):
        yield replace(chunk, later_titles=tuple(later)) if later else chunk


def _rows(source: SourceFile, how: Reading, start: bytes, later: dict[str, None]) -> Iterator[tuple[int, list[str]]]:
    """Yield the keys of the first objects, then the values of each; lines count as they would below a header.

    Objects leave out what they do not know. Keys that come up further down are noted in `later`.
    """
    name = source.identity.name
    number = 0
    try:
        # Lone surrogates of bytes that are no text would be told as faults of the JSON.
        with open_text(replace(source, errors="strict"), codec_of(how.encoding, start)) as (text, _metered):
            items = _Items(text, name)
            first = items.first()
            parts = _parts_of_rows([item for _line, item in first])
            keys = dict.fromkeys(key for _line, item in first for key in _flat(item, parts))
            header = dict.fromkeys(islice(keys, COLUMNS))
            if first:
                yield 1, list(header)
            for number, (line, item) in enumerate(chain(first, items), start=1):
                row = _flat(item, parts)
                if row.keys() - header.keys() and len(later) < LATER_TITLES:
                    later.update(dict.fromkeys(key for key in row if key not in header))
                where = f"{name}, object {number}"
                yield line, [_text(row.get(key), f"{where}, {key[:40]}") for key in header]
    except UnicodeDecodeError as error:
        raise not_text(source, how.encoding, start) from error
    if not number:
        raise NoRows(f"{name} is a list without objects: nothing can be imported from it.")


def _parts_of_rows(items: Sequence[dict[str, Any]]) -> AbstractSet[str]:
    """Return the keys whose values are objects with the same few keys."""
    inner: dict[str, set[str]] = defaultdict(set)
    others = set()
    for item in items:
        for key, value in item.items():
            if isinstance(value, dict):
                inner[key].update(value)
            elif value is not None:
                others.add(key)
    return {key for key, keys in inner.items() if 0 < len(keys) <= INNER_KEYS} - others


def _flat(item: dict[str, Any], parts: AbstractSet[str]) -> dict[str, Any]:
    """Return an object with the values of its parts under keys such as `name.common`."""
    if not parts:
        return item
    flat: dict[str, Any] = {}
    for key, value in item.items():
        if key in parts and isinstance(value, dict):
            flat |= {f"{key}.{name}": inner for name, inner in value.items()}
        elif key not in parts or value is not None:
            flat[key] = value
    return flat


def _text(value: Any, where: str) -> str:
    if value is None:
        return ""
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, list) and len(value) == 2 and all(map(_is_number, value)):
        # A position, which has its place in a cell.
        return ", ".join(value)
    if not isinstance(value, str):
        why = f"{where} holds {_KINDS[type(value)]}, and a table has one value in a cell: take it apart."
        return Nested("{...}" if isinstance(value, dict) else "[...]", why)
    if len(value) > CELL_CHARACTERS:
        raise CellRefused(f"{where}: a cell is longer than {CELL_CHARACTERS:,} characters; is a quote left open?")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise EncodingRefused(f"{where} holds half of a character (a lone surrogate): write it whole.") from None
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, str) and _NUMBER.fullmatch(value) is not None


class _Items:
    """The objects, each with its line, decoded one by one, so that the text is never held as a whole.

    They stand in a list, in an object that names each by a key, which becomes a value of it, or one after the other.
    """

    def __init__(self, text: TextIO, name: str) -> None:
        self._text = text
        self._name = name
        self._window = ""
        self._at = self._counted = 0
        self._number = 0
        self._line = 1
        self._read = 0
        self._key = ""
        self._wrapped = False
        self._decoder = json.JSONDecoder(
            object_pairs_hook=_object, parse_constant=_refuse_constant, parse_int=str, parse_float=str
        )
        self._closing = self._find_closing()
        self._items = self._between() if self._closing else self._on_lines()

    def __iter__(self) -> Iterator[tuple[int, dict[str, Any]]]:
        return self._items

    def first(self) -> list[tuple[int, dict[str, Any]]]:
        """Return the objects that settle the keys."""
        first: list[tuple[int, dict[str, Any]]] = []
        for item in self._items:
            first.append(item)
            if self._read > BEGINNING_CHARACTERS:
                break
        return first

    def _find_closing(self) -> str:
        """Return what ends the list, or the object of objects, "" where objects follow each other; raises NotATable."""
        opening = self._next_character()
        if opening == "[":
            return "]"
        if opening == "{":
            try:
                _value, end = self._decoder.raw_decode(self._window, self._at)
                after = self._window[end:].lstrip()[:1]
            except (json.JSONDecodeError, _NoValue, RecursionError):
                after = ""
            if after == "{" or _LINES.search(self._name):
                return ""
            if _BY_KEY.match(self._window, self._at):
                return "}"
            if wrapped := _WRAPPED.match(self._window, self._at):
                self._wrapped, self._at = True, wrapped.end()
                return "]"
        raise NotATable(f"{self._name} is JSON but no list of objects: write it as [{{...}}, {{...}}].")

    def _on_lines(self) -> Iterator[tuple[int, dict[str, Any]]]:
        while self._next_character():
            self._number += 1
            self._count_lines()
            yield self._line, self._item()

    def _between(self) -> Iterator[tuple[int, dict[str, Any]]]:
        self._at += 1
        if self._next_character() != self._closing:
            while True:
                self._number += 1
                yield self._number + 1, self._item() if self._closing == "]" else self._named_item()
                if self._next_character() != ",":
                    break
                self._at += 1
                self._next_character()
        if self._next_character() != self._closing:
            raise self._damaged(f"a comma or the closing {self._closing} is missing")
        self._at += 1
        if self._wrapped:
            if self._next_character() != "}":
                raise NotATable(f"{self._name} has more beside its list of objects: write it as [{{...}}, {{...}}].")
            self._at += 1
        if self._next_character():
            raise self._damaged(f"something stands behind the closing {self._closing}")

    def _named_item(self) -> dict[str, Any]:
        """Return an object with the key that names it."""
        name = self._value() if self._next_character() == '"' else None
        if not isinstance(name, str) or self._next_character() != ":":
            raise self._damaged("a key is missing")
        self._at += 1
        self._next_character()
        item = self._item()
        self._key = self._key or (OTHER_KEY if KEY in item else KEY)
        return {self._key: name, **item}

    def _count_lines(self) -> None:
        """Count the lines up to where the reading is."""
        self._line += self._window.count("\n", self._counted, self._at)
        self._counted = self._at

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
        self._count_lines()
        self._window = self._window[self._at :] + block
        self._at = self._counted = 0
        self._read += len(block)
        return bool(block)

    def _item(self) -> dict[str, Any]:
        item = self._value()
        if not isinstance(item, dict):
            where = f"{self._name}, object {self._number}"
            raise NotATable(f"{where} is {_KINDS[type(item)]}, not an object: write the list as [{{...}}, {{...}}].")
        return item

    def _value(self) -> Any:
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
