"""Small changes of the values of a column, chosen with the mapping and made before anything is parsed.

A change takes the cells of a column and returns as many. A cell that it does not understand stays as it is, for the
parser to refuse. Apps add changes that need their knowledge, such as country names to codes, by `register_change`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from apps.imports.results import ValueChange

__all__ = [
    "CHANGES",
    "ChangeKind",
    "ValueChange",
    "changed",
    "parts_of",
    "register_change",
    "shares",
    "why_missed",
    "why_not_change",
]

Cells = list[str]

_FEET_IN_A_METRE = Decimal("3.280839895")
_GROUPS = {"point": ".", "comma": ",", "space": " \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}",
           "apostrophe": "'\N{RIGHT SINGLE QUOTATION MARK}"}  # fmt: skip
_DECIMAL_COMMA = re.compile(r"([+-]?)([0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+)?,([0-9]+)")
_METRES = re.compile(r"([+-]?[0-9]{1,6}(?:\.[0-9]{1,9})?)\s*(?:m|metres|meters)?\.?", re.IGNORECASE)
# 1.655 m is a beach or a mountain.
_AMBIGUOUS = re.compile(r"[+-]?[1-9]\.[0-9]{3}")
# What may stand between two numbers of a cell, the surest first.
_BETWEEN = (";", "|", "/", ", ", " ", ",")
_AROUND = " ,()[]{}"


@dataclass(frozen=True)
class ChangeKind:
    """What a change is called on a page, what it does, and which argument it takes: what it is, and which may be.

    `misses` says what is wrong with a cell that is refused since the change does not understand it.
    """

    label: str
    apply: Callable[[Cells, str], Cells]
    argument: str = ""
    allows: Callable[[str], bool] = bool
    # Several fields may share a column that this changes: each takes something else from it.
    shares: bool = False
    misses: str = ""


def register_change(name: str, kind: ChangeKind) -> None:
    """Make a change known by its name."""
    CHANGES[name] = kind


def why_not_change(change: ValueChange) -> str | None:
    """Return why there is no such change, or None."""
    kind = CHANGES.get(change.name)
    if kind is None:
        return f"There is no change of values called {change.name[:40]}; there are: {', '.join(sorted(CHANGES))}."
    if kind.argument and not kind.allows(change.argument):
        return f"The change {change.name} needs {kind.argument}, not {change.argument[:40] or 'nothing'}."
    if change.argument and not kind.argument:
        return f"The change {change.name} takes nothing beside it: leave out {change.argument[:40]}."
    return None


def changed(cells: Sequence[str], changes: Sequence[ValueChange]) -> Cells:
    """Return the cells of a column after these changes, in their order."""
    after = list(cells)
    for change in changes:
        after = CHANGES[change.name].apply(after, change.argument)
    return after


def shares(changes: Sequence[ValueChange]) -> bool:
    """Whether another field may take the same column, since this one takes a part of it or nothing at all."""
    return any(CHANGES[change.name].shares for change in changes if change.name in CHANGES)


def why_missed(changes: Sequence[ValueChange]) -> str:
    """Return what is wrong with a cell that these changes left as it was, "" where the parser knows better."""
    return next((kind.misses for change in changes if (kind := CHANGES[change.name]).misses), "")


def parts_of(cell: str) -> list[str]:
    """Return the parts of a cell that holds several values, such as two coordinates; decimal commas become points."""
    inner = cell.strip().removeprefix("POINT").strip(_AROUND)
    for sign in _BETWEEN:
        parts = [part.strip(_AROUND) for part in inner.split(sign)]
        parts = [part for part in parts if part]
        if len(parts) > 1:
            return parts if sign == "," else [_decimal_comma(part) for part in parts]
    return parts


def _each(change: Callable[[str], str]) -> Callable[[Cells, str], Cells]:
    return lambda cells, _argument: [change(cell) for cell in cells]


def _decimal_comma(cell: str) -> str:
    number = _DECIMAL_COMMA.fullmatch(cell.strip())
    return f"{number[1]}{(number[2] or '0').replace('.', '')}.{number[3]}" if number else cell


def _feet(cell: str) -> str:
    number = _METRES.fullmatch(cell.strip())
    if number is None or _AMBIGUOUS.fullmatch(number[1]):
        return cell
    return str((Decimal(number[1]) * _FEET_IN_A_METRE).quantize(Decimal(1), ROUND_HALF_UP))


def _without_groups(cells: Cells, argument: str) -> Cells:
    signs = _GROUPS[argument]
    decimal = {"point": ",", "comma": "."}.get(argument, ".,")
    grouped = re.compile(f"([+-]?[0-9]{{1,3}}(?:[{signs}][0-9]{{3}})+)([{decimal}][0-9]+)?")
    drop = str.maketrans("", "", signs)
    return [
        f"{number[1].translate(drop)}{number[2] or ''}" if (number := grouped.fullmatch(cell.strip())) else cell
        for cell in cells
    ]


def _round(cells: Cells, argument: str) -> Cells:
    return [_rounded(cell, Decimal(1).scaleb(-int(argument))) for cell in cells]


def _rounded(cell: str, step: Decimal) -> str:
    try:
        number = Decimal(cell.strip()) if cell.isascii() and "_" not in cell else None
        return f"{number.quantize(step, ROUND_HALF_UP):f}" if number is not None and number.is_finite() else cell
    except InvalidOperation:
        return cell


def _part(cells: Cells, argument: str) -> Cells:
    place = int(argument) - 1
    several = [parts_of(cell) for cell in cells]
    return [
        parts[place] if len(parts) > place and len(parts) > 1 else cell
        for parts, cell in zip(several, cells, strict=True)
    ]


def _blank(cells: Cells, argument: str) -> Cells:
    words = {word.strip().casefold() for word in argument.split("|")}
    return ["" if cell.strip().casefold() in words else cell for cell in cells]


def _is_digits(text: str) -> bool:
    return len(text) == 1 and text in "0123456789"


CHANGES: dict[str, ChangeKind] = {
    "trim": ChangeKind("without spaces too many", _each(lambda cell: " ".join(cell.split()))),
    "upper": ChangeKind("in capital letters", _each(str.upper)),
    "blank": ChangeKind("blank where it says", _blank, "the words, with | between them"),
    "decimal_comma": ChangeKind("decimal comma to point", _each(_decimal_comma)),
    "thousands": ChangeKind(
        "without the sign between thousands", _without_groups, f"one of {', '.join(_GROUPS)}", _GROUPS.__contains__
    ),
    "round": ChangeKind("rounded", _round, "how many decimals stay, 0 to 9", _is_digits),
    "feet": ChangeKind("metres to feet", _each(_feet)),
    "part": ChangeKind(
        "one of several values in the cell",
        _part,
        "which one, 1 to 9",
        lambda text: _is_digits(text) and text != "0",
        shares=True,
    ),
    "constant": ChangeKind(
        "always the same value", lambda cells, value: [value] * len(cells), "the value", shares=True
    ),
}
