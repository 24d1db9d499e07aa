"""The cells of a sheet as the text that a CSV would have."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from apps.imports.errors import CellRefused
from apps.imports.reading.tables import CELL_CHARACTERS

# The widest sheets there are.
MOST_COLUMNS = 16_384
# Beyond it a float no longer holds every whole number.
_LARGEST_EXACT = 2**53
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


@dataclass
class Row:
    """The filled cells of one row (first column, how many columns, text), and how often the row stands there."""

    line: int
    cells: list[tuple[int, int, str]] = field(default_factory=list)
    times: int = 1

    def texts(self) -> list[str]:
        """Return the cells from the first to the last filled one."""
        row = [""] * max(column + times for column, times, _text in self.cells)
        for column, times, text in self.cells:
            row[column : column + times] = [text] * times
        return row

    def numbered(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the row with its line, as often as it stands there; never an empty one."""
        if self.cells:
            row = self.texts()
            yield from ((self.line + at, row) for at in range(self.times))


def number_text(text: str) -> str:
    """Return a number as text: whole ones without a point, others as Python writes them, exactly."""
    if text.isascii() and text.isdigit() and text[0] != "0":
        return text
    number = float(text)
    if number.is_integer() and abs(number) <= _LARGEST_EXACT:
        return str(int(number))
    # What a float cannot hold is shown as it is in the file.
    return text if number in (float("inf"), float("-inf")) or number != number else repr(number)


def unescape(text: str) -> str:
    """Return the characters that Excel writes as `_x000D_`."""
    return _ESCAPED.sub(_character, text) if "_x" in text else text


def _character(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    return match[0] if 0xD800 <= code <= 0xDFFF else chr(code)


def column_name(column: int) -> str:
    """Return the letters of a column, counted from 0."""
    letters = ""
    column += 1
    while column:
        column, digit = divmod(column - 1, 26)
        letters = chr(65 + digit) + letters
    return letters


class Columns(dict[str, int]):
    """The number of a column, counted from 0, by its letters."""

    def __missing__(self, letters: str) -> int:
        number = 0
        for letter in letters:
            if not "A" <= letter <= "Z":
                raise ValueError(f"{letters[:20]!r} is no column")
            number = number * 26 + ord(letter) - 64
            if number > MOST_COLUMNS:
                raise ValueError(f"{letters[:20]!r} is beyond the last column")
        if not number:
            raise ValueError("a cell without column")
        self[letters] = number - 1
        return number - 1


def too_long(where: str) -> CellRefused:
    """Return the error for a cell with too much text."""
    return CellRefused(f"{where}: a cell is longer than {CELL_CHARACTERS:,} characters: shorten it.")


def no_value(where: str) -> CellRefused:
    """Return the error for a formula that was never calculated."""
    return CellRefused(f"{where} is a formula without a value: open the file in a spreadsheet and save it again.")


def error_value(where: str, value: str) -> CellRefused:
    """Return the error for a formula that failed."""
    return CellRefused(f"{where} holds the error {value[:20]}: mend the formula there, or clear the cell.")
