"""Which column of a file fills which field, and what its values need, as a person says between upload and plan."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from apps.imports.mapping import headers
from apps.imports.mapping.changes import CHANGES, ValueChange, changed, why_not_change
from apps.imports.mapping.columns import Column
from apps.imports.mapping.guesses import Guess, guess_columns
from apps.imports.mapping.layout import changes_for, missing_columns
from apps.imports.models import ImportRun
from apps.imports.results import Changes, ImportOptions, changes_from_json
from apps.imports.runs.preview import Preview
from apps.imports.spec import ImportSpec

PREFIX, CHANGE_PREFIX = "column-", "change-"
# How many values help to tell which column is which.
_VALUES = 3
_BETWEEN = " + "
# More text than this is no list of changes of a value.
_LONGEST = 500
_OF_NUMBERS = (
    *(ValueChange("thousands", sign) for sign in ("point", "comma", "space", "apostrophe")),
    *(ValueChange("decimal_comma"), ValueChange("round", "0"), ValueChange("feet")),
)
_OF_TEXTS = (ValueChange("trim"), ValueChange("upper"))
_OF_ALL = (ValueChange("part", "1"), ValueChange("part", "2"))
_COMMA = ValueChange("decimal_comma")


@dataclass(frozen=True)
class Columns:
    """The title of the column for each field, what its values need, and what was guessed."""

    chosen: dict[str, str]
    changes: Changes = field(default_factory=dict)
    guesses: tuple[Guess, ...] = ()

    def options(self, options: ImportOptions) -> ImportOptions:
        """Return the options with these columns."""
        return replace(options, mapping=self.chosen, changes=self.changes, columns=None)


def proposed_columns(run: ImportRun, shown: Preview, spec: ImportSpec, options: ImportOptions) -> Columns:
    """Return the current mapping where the titles are still the same, or the last one of this header, or a guess."""
    guesses = tuple(guess_columns(shown.header, shown.sample, spec))
    if options.mapping is not None and shown.header == run.header:
        return Columns(headers.columns_taken(shown.header, spec, options), options.changes, guesses)
    known = headers.recall(shown.header, spec)
    if known is not None:
        fields = {column.field for column in spec.columns}
        chosen = {name: title for name, title in known.mapping.items() if name in fields and title in shown.header}
        return Columns(chosen, _that_are(changes_from_json(known.changes)), guesses)
    changes = {guess.field: (guess.change,) for guess in guesses if guess.change}
    return Columns({guess.field: guess.title for guess in guesses}, changes, guesses)


def commas_of_file(columns: Columns, options: ImportOptions) -> tuple[Columns, ImportOptions]:
    """Return the decimal comma of columns as that of the whole file, since a file writes all its numbers alike."""
    if not any(_COMMA in steps for steps in columns.changes.values()):
        return columns, options
    changes = {name: tuple(step for step in steps if step != _COMMA) for name, steps in columns.changes.items()}
    return replace(columns, changes=changes), replace(options, decimal="comma")


def posted_columns(posted: Mapping[str, str], proposed: Columns, header: list[str], spec: ImportSpec) -> Columns:
    """Return what a person chose; what the file lacks is left out, and what was not asked is as proposed."""
    titles = set(header) - {""}
    chosen = {column.field: posted.get(PREFIX + column.field, "") for column in spec.columns}
    chosen = {name: title for name, title in chosen.items() if title in titles}
    changes = {}
    for name, title in chosen.items():
        if CHANGE_PREFIX + name in posted:
            changes[name] = tuple(
                _change(word) for word in posted[CHANGE_PREFIX + name][:_LONGEST].split(_BETWEEN) if word
            )
        elif title == proposed.chosen.get(name):
            changes[name] = tuple(proposed.changes.get(name, ()))
    return Columns(chosen, changes, proposed.guesses)


def mapping_errors(columns: Columns, spec: ImportSpec, options: ImportOptions) -> list[str]:
    """Return a sentence for each reason why nothing can be planned with these columns."""
    errors = []
    lacking = missing_columns(columns.chosen, spec, corrections=options.corrections, match=options.match)
    if lacking and options.corrections:
        other = ", or match the rows by another key" if options.match else ""
        errors.append(f"Say which column has the {', '.join(lacking)}{other}: without it no object is known.")
    elif lacking:
        title = spec.upstream_title or spec.name
        errors.append(
            f"A snapshot of {title} needs the columns {', '.join(lacking)}: say which they are, "
            "or take the file as corrections by hand."
        )
    steps = [change for changes in columns.changes.values() for change in changes]
    errors += filter(None, map(why_not_change, steps))
    return errors + headers.chosen_twice(columns.chosen, columns.changes)


def mapping_rows(
    spec: ImportSpec, columns: Columns, shown: Preview, options: ImportOptions
) -> Iterator[dict[str, Any]]:
    """Yield the rows of the table of fields, each with its column, why it was guessed, and the first values."""
    places = {title: place for place, title in reversed(list(enumerate(shown.header)))}
    whys = {(guess.field, guess.title): guess.why for guess in columns.guesses}
    names = {*spec.key_fields, *spec.match_columns}
    for column in spec.columns:
        title = columns.chosen.get(column.field, "")
        place = places.get(title)
        values = [row[place] for row in shown.sample if place is not None and place < len(row)]
        values = [value for value in values if value.strip()][:_VALUES]
        steps = [step for step in changes_for(column, spec, columns.options(options)) if not why_not_change(step)]
        after = changed(values, steps)
        yield {
            "name": PREFIX + column.field,
            "header": column.header,
            "title": title,
            "why": whys.get((column.field, title), ""),
            "values": values,
            "after": after if after != values else [],
            "change_name": CHANGE_PREFIX + column.field,
            "change": _word(columns.changes.get(column.field, ())),
            "changes": _offered(column, spec, columns) if title else [],
            "required": column.required,
            "names_object": column.field in names,
        }


def left_out(columns: Columns) -> list[str]:
    """Return a sentence for each column that looks like one of ours and is not taken."""
    taken = set(columns.chosen.values())
    return [
        f"{guess.title} looks like {guess.field} ({guess.why}), and is not taken."
        for guess in columns.guesses
        if guess.field not in columns.chosen and guess.title not in taken
    ]


def _that_are(changes: Changes) -> dict[str, tuple[ValueChange, ...]]:
    return {name: tuple(step for step in steps if not why_not_change(step)) for name, steps in changes.items()}


def _offered(column: Column, spec: ImportSpec, columns: Columns) -> list[tuple[str, str]]:
    """Return the changes to choose from, each with what it does; the current one is among them."""
    registered = [ValueChange(name) for name, kind in CHANGES.items() if not kind.argument]
    own = [change for change in registered if change not in (*_OF_NUMBERS, *_OF_TEXTS)]
    offered = [*_OF_NUMBERS, *_OF_ALL] if column.field in spec.numbers else [*own, *_OF_TEXTS, *_OF_ALL]
    current = tuple(columns.changes.get(column.field, ()))
    several: list[tuple[ValueChange, ...]] = [(change,) for change in offered]
    if current and current not in several:
        several.insert(0, current)
    return [(_word(steps), ", ".join(map(_label, steps))) for steps in several]


def _word(steps: Any) -> str:
    return _BETWEEN.join(map(str, steps))


def _label(change: ValueChange) -> str:
    label = CHANGES[change.name].label if change.name in CHANGES else change.name
    return f"{label}: {change.argument}" if change.argument else label


def _change(word: str) -> ValueChange:
    name, _colon, argument = word.partition(":")
    return ValueChange(name, argument)
