"""One sheet of an XLSX file: its elements to rows of text."""

import datetime
from dataclasses import dataclass, field

from apps.imports.errors import FileDamaged
from apps.imports.reading.cells import (
    Columns,
    Row,
    column_name,
    error_value,
    no_value,
    number_text,
    too_long,
    unescape,
)
from apps.imports.reading.tables import CELL_CHARACTERS
from apps.imports.reading.xml_stream import Handler

MOST_ROWS = 1_048_576
_DIGITS = "0123456789"


@dataclass
class Dates:
    """The styles that show a number as a date, or as a duration, and the day from which they count."""

    dates: set[str] = field(default_factory=set)
    durations: set[str] = field(default_factory=set)
    since_1904: bool = False

    def text(self, style: str, number: str) -> str:
        """Return the ISO text of a number in a style that shows dates; what is no date stays a number."""
        from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel

        epoch = MAC_EPOCH if self.since_1904 else WINDOWS_EPOCH
        try:
            value = from_excel(float(number), epoch, timedelta=style in self.durations)
        except (OverflowError, ValueError):
            return number_text(number)
        if isinstance(value, datetime.timedelta):
            return str(value)
        if isinstance(value, datetime.datetime) and value.time() == datetime.time():
            return value.date().isoformat()
        return value.isoformat()


class SheetRows(Handler):
    """Makes rows of the elements of a sheet."""

    def __init__(self, part: str, strings: list[str], dates: Dates) -> None:
        super().__init__(part)
        self._strings = strings
        self._dates = dates
        self._dated = dates.dates | dates.durations
        self._columns = Columns()
        self._done: list[Row] = []
        self._line = self._rows = 0
        self._row = Row(0)
        self._column = -1
        self._kind = self._style = ""
        self._open = self._formula = self._phonetic = False
        self._parts: list[str] = []
        self._length = 0

    def take(self) -> list[Row]:
        """Return the rows that are complete, once."""
        done, self._done = self._done, []
        return done

    def start(self, name: str, attributes: dict[str, str]) -> None:
        super().start(name, attributes)
        local = self.names[name]
        if local == "c":
            self._start_cell(attributes)
        elif local == "v":
            self._open = True
        elif local == "t":
            self._open = not self._phonetic
        elif local == "row":
            self._start_row(attributes.get("r"))
        elif local == "f":
            self._formula = True
        elif local == "rPh":
            self._phonetic = True

    def end(self, name: str) -> None:
        super().end(name)
        local = self.names[name]
        if local == "v" or local == "t":
            self._open = False
        elif local == "c":
            self._end_cell()
        elif local == "row":
            if self._row.cells:
                self._done.append(self._row)
        elif local == "rPh":
            self._phonetic = False

    def text(self, data: str) -> None:
        if self._open:
            self._parts.append(data)
            self._length += len(data)
            if self._length > CELL_CHARACTERS:
                raise too_long(self._place())

    def _start_row(self, number: str | None) -> None:
        try:
            self._line = int(number) if number else self._line + 1
        except ValueError:
            raise FileDamaged(f"{self.part}: {str(number)[:20]!r} is no row number: save it again.") from None
        self._rows += 1
        if self._rows > MOST_ROWS:
            raise FileDamaged(f"{self.part} has more than {MOST_ROWS} rows, which no sheet has: save the table as CSV.")
        self._row = Row(self._line)
        self._column = -1

    def _start_cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        try:
            self._column = self._columns[reference.rstrip(_DIGITS) if reference else column_name(self._column + 1)]
        except ValueError as error:
            raise FileDamaged(f"{self.part}, row {self._line}: {error}: save it again.") from error
        self._kind = attributes.get("t", "n")
        self._style = attributes.get("s", "")
        self._formula = False
        self._parts.clear()
        self._length = 0

    def _end_cell(self) -> None:
        value = "".join(self._parts)
        if value:
            text = self._text_of(value)
            if text:
                self._row.cells.append((self._column, 1, text))
                self.filled()
        elif self._formula and self._kind != "str":
            raise no_value(self._place())

    def _text_of(self, value: str) -> str:
        kind = self._kind
        try:
            if kind == "s":
                text = self._strings[int(value)]
                if len(text) > CELL_CHARACTERS:
                    raise too_long(self._place())
                return text
            if kind == "n":
                return self._dates.text(self._style, value) if self._style in self._dated else number_text(value)
        except (ValueError, IndexError):
            raise FileDamaged(
                f"{self._place()}: {value[:20]!r} is not what the cell says it is: save it again."
            ) from None
        if kind == "e":
            raise error_value(self._place(), value)
        if kind == "b":
            return "true" if value in ("1", "true") else "false"
        return unescape(value)

    def _place(self) -> str:
        return f"{self.part}, cell {column_name(self._column)}{self._line}"
