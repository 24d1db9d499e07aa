"""Normalising: raw rows to typed columns, or refusals with line, column, value and why."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import models

from apps.changesets.text import unguard
from apps.imports.mapping.changes import why_missed
from apps.imports.mapping.columns import Column
from apps.imports.mapping.layout import Layout
from apps.imports.parsers import BadCell, Parser, unique_id
from apps.imports.reading.rows import RawChunk
from apps.imports.results import ImportOptions, Refusal
from apps.imports.staging.upstream_values import sparse_texts, upstream_texts

_LARGEST_KEY = 2**63 - 1
_LOST = "\N{REPLACEMENT CHARACTER}"


class Seen(NamedTuple):
    """A row of the file that is not staged: its line, stable and primary key, and whether it was refused."""

    line: int
    stable_key: int | str | None
    pk: int | str | None
    refused: bool


@dataclass
class NormalisedChunk:
    """What one chunk became: staged rows (line, values in layout order, upstream), refusals, and rows not staged.

    `cells_refused` counts the refusals of single cells, whose rows are staged without them; `read_as_blank` counts the
    words that were taken for no value.
    """

    rows: Iterable[tuple[Any, ...]] = ()
    taken: int = 0
    cells_refused: int = 0
    read_as_blank: Counter[str] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)


def normalise(chunk: RawChunk, layout: Layout, options: ImportOptions, *, room: int | None) -> NormalisedChunk:
    """Return the typed rows of `chunk` that the options ask for, at most `room` of them, and all refusals."""
    result = NormalisedChunk()
    lines, rows = _leave_out(chunk, layout, options, room, result)
    if not rows:
        return result
    result.taken = len(rows)
    lines, rows = _refuse_ragged(lines, rows, layout, result)
    if not rows:
        return result
    cells = list(zip(*rows, strict=True))
    columns = []
    # For each place in the layout, the rows whose cell is refused.
    refused_at: list[set[int]] = []
    for column, index in layout.columns:
        given = _without_null_words(layout.changed(column, cells[index]), column, layout, options, result)
        values, refused = _parser(column, layout)(given)
        columns.append(values)
        refused_at.append({cell.row for cell in refused})
        missed = why_missed(layout.changes.get(column.field, ()))
        for row, rule, hint in refused:
            cell = cells[index][row]
            why = missed if missed and given[row] == cell else hint
            result.refusals.append(Refusal(lines[row], column.header, _shown(cell), rule, why))
    if layout.corrections:
        _refuse_unfit(columns, layout, lines, refused_at, result)
    bad = _blank_bad_cells(columns, layout, refused_at, result) if options.takes_rest else set().union(*refused_at)
    if layout.corrections:
        _refuse_nameless(columns, layout, lines, bad, result)
    if bad:
        result.seen += [_seen(lines[row], rows[row], layout, refused=True) for row in sorted(bad)]
        result.refusals.sort(key=lambda refusal: refusal.line)
        keep = [row for row in range(len(rows)) if row not in bad]
        lines = [lines[row] for row in keep]
        columns = [[values[row] for row in keep] for values in columns]
    result.rows = _staged_rows(lines, columns, layout)
    return result


def _leave_out(
    chunk: RawChunk, layout: Layout, options: ImportOptions, room: int | None, result: NormalisedChunk
) -> tuple[list[int], list[list[str]]]:
    """Set aside the rows that the options leave out; their objects are in the file, so none is missing."""
    if not options.only and room is None:
        return chunk.lines, chunk.rows
    tests = [(c, index, options.only[c.field]) for c, index in layout.columns if c.field in options.only]
    lines: list[int] = []
    rows: list[list[str]] = []
    for line, row in zip(chunk.lines, chunk.rows, strict=True):
        wanted = all(index < len(row) and test(layout.changed(c, [row[index]])[0].strip()) for c, index, test in tests)
        if wanted and (room is None or len(rows) < room):
            lines.append(line)
            rows.append(row)
        else:
            result.seen.append(_seen(line, row, layout, refused=False))
    return lines, rows


def _refuse_ragged(
    lines: list[int], rows: list[list[str]], layout: Layout, result: NormalisedChunk
) -> tuple[list[int], list[list[str]]]:
    width = layout.width
    if all(len(row) == width for row in rows):
        return lines, rows
    good = []
    for line, row in zip(lines, rows, strict=True):
        if len(row) == width:
            good.append((line, row))
            continue
        hint = f"the row has {len(row)} cells, the header {width}"
        result.refusals.append(Refusal(line, "(row)", _shown(",".join(row)), "ragged", hint))
        result.seen.append(_seen(line, row, layout, refused=True))
    return [line for line, _row in good], [row for _line, row in good]


def _shown(text: str) -> str:
    """Return text as a refusal shows it: short, and without NUL, which PostgreSQL stores nowhere."""
    return text[:200].replace("\x00", _LOST)


def _without_null_words(
    cells: list[str], column: Column, layout: Layout, options: ImportOptions, result: NormalisedChunk
) -> list[str]:
    """Make cells blank that say a word for no value, where the column may be blank, and count them.

    The name of a thing may be such a word, and a snapshot's key is never blank.
    """
    words = options.null_words
    may_be_blank = layout.corrections and column.field in layout.spec.key_fields
    if (column.required and not may_be_blank) or words.isdisjoint(cells):
        return cells
    result.read_as_blank.update(cell for cell in cells if cell in words)
    return ["" if cell in words else cell for cell in cells]


def _refuse_unfit(
    columns: list[list[Any]], layout: Layout, lines: list[int], refused_at: list[set[int]], result: NormalisedChunk
) -> None:
    """Refuse values that do not fit to another one of their row."""
    places = {column.field: place for place, (column, _index) in enumerate(layout.columns)}
    for place, (column, _index) in enumerate(layout.columns):
        if column.beside is None or column.beside[0] not in places:
            continue
        other, why = places[column.beside[0]], column.beside[1]
        for row, (value, beside) in enumerate(zip(columns[place], columns[other], strict=True)):
            if not value or not beside or row in refused_at[place] or row in refused_at[other]:
                continue
            if hint := why(value, beside):
                refused_at[place].add(row)
                result.refusals.append(Refusal(lines[row], column.header, _shown(value), "unfit", hint))


def _blank_bad_cells(
    columns: list[list[Any]], layout: Layout, refused_at: list[set[int]], result: NormalisedChunk
) -> set[int]:
    """Make refused cells blank, and return the rows of which nothing can be taken: no key, or no other value."""
    naming = {*layout.alone, *layout.together}
    named = [column.field in naming for column, _index in layout.columns]
    bad = {row for names, rows in zip(named, refused_at, strict=True) if names for row in rows}
    for rows, values in zip(refused_at, columns, strict=True):
        for row in rows:
            values[row] = None
    for row in set().union(*refused_at) - bad:
        if all(names or values[row] is None for names, values in zip(named, columns, strict=True)):
            bad.add(row)
    result.cells_refused = sum(len(rows - bad) for rows in refused_at)
    return bad


def _refuse_nameless(
    columns: list[list[Any]], layout: Layout, lines: list[int], bad: set[int], result: NormalisedChunk
) -> None:
    """Refuse corrections that name no object: neither stable nor primary key is filled, nor all columns to match by."""
    by_field = {column.field: values for (column, _index), values in zip(layout.columns, columns, strict=True)}
    alone = [by_field[name] for name in layout.alone if name in by_field]
    together = [by_field[name] for name in layout.together if name in by_field]
    if len(together) < len(layout.together):
        together = []
    names = layout.alone if alone else layout.together
    naming = [column for column, _index in layout.columns if column.field in names]
    for row in range(len(lines)):
        if row in bad or any(values[row] for values in alone) or (together and all(values[row] for values in together)):
            continue
        bad.add(row)
        header = next(column.header for column in naming if not by_field[column.field][row])
        result.refusals.append(Refusal(lines[row], header, "", "required", "a correction must name its object"))


def _parser(column: Column, layout: Layout) -> Parser:
    """Return the column's parser; where blank cells leave values alone, they are None."""
    parser = _as_exported(column.by_hand) if layout.corrections else column.parse
    if not layout.sparse and not (layout.corrections and column.field in layout.spec.key_fields):
        return parser

    def parse(cells: list[str]) -> tuple[list[Any], list[BadCell]]:
        filled = [row for row, cell in enumerate(cells) if cell.strip()]
        values: list[Any] = [None] * len(cells)
        if not filled:
            return values, []
        parsed, refused = parser([cells[row] for row in filled])
        for row, value in zip(filled, parsed, strict=True):
            values[row] = value
        return values, [cell._replace(row=filled[cell.row]) for cell in refused]

    return parse


def _as_exported(parser: Parser) -> Parser:
    """Take off the apostrophes that an export puts before what a spreadsheet would take for a formula.

    A sheet cannot hold every character; a cell with the mark of a lost one is refused, or it would be taken for text.
    """

    def parse(cells: list[str]) -> tuple[list[Any], list[BadCell]]:
        values, bad = parser(list(map(unguard, cells)))
        refused = {cell.row for cell in bad}
        lost = [row for row, cell in enumerate(cells) if _LOST in cell and row not in refused]
        hint = "a character was lost here: write it again"
        return values, [*bad, *(BadCell(row, "lost_character", hint) for row in lost)]

    return parse


def _seen(line: int, row: list[str], layout: Layout, *, refused: bool) -> Seen:
    """Read what can be read of the keys of a row that is not staged."""
    spec = layout.spec
    cells = {
        column.field: layout.changed(column, [row[index]])[0].strip()
        for column, index in layout.columns
        if index < len(row) and column.field in spec.key_fields
    }
    stable_key = _key_in(spec.model, spec.stable_key, cells.get(spec.stable_key, "")) if spec.stable_key else None
    return Seen(line, stable_key, _key_in(spec.model, spec.pk, cells.get(spec.pk, "")), refused)


def _key_in(model: type[models.Model], field: str, text: str) -> int | str | None:
    """Return the key in a cell, None where it cannot be one of this field; text of any length can."""
    kind, text = model._meta.get_field(field), text.replace("\x00", "")
    if isinstance(kind, models.IntegerField):
        return _number(text)
    if isinstance(kind, models.UUIDField):
        ids, bad = unique_id()([text])
        return None if bad else ids[0]
    return text or None


def _number(text: str) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
    return number if number is not None and number <= _LARGEST_KEY else None


def _staged_rows(lines: list[int], columns: list[list[Any]], layout: Layout) -> Iterable[tuple[Any, ...]]:
    by_field = {column.field: values for (column, _index), values in zip(layout.columns, columns, strict=True)}
    for derived in layout.derived:
        by_field[derived.field] = derived.derive(by_field[derived.follows])
    upstream: Sequence[str | None] = [None] * len(lines)
    if not layout.corrections:
        upstream = sparse_texts(by_field, layout.merged) if layout.sparse else upstream_texts(by_field, layout)
    return zip(lines, *by_field.values(), upstream, strict=True)
