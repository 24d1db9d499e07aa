"""What a person can choose about how a file is read, each choice with what is guessed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from apps.changesets.text import whole_number
from apps.imports.models import ImportRun
from apps.imports.reading.delimited import DELIMITERS
from apps.imports.reading.encodings import ENCODINGS, SURE, likely_encodings, words_in
from apps.imports.reading.rows import NO_TITLES, Reading
from apps.imports.runs.preview import Preview

_MORE_DELIMITERS = {":": "colons", "~": "tildes", " ": "spaces"}
_TITLE_CHARACTERS = 60


@dataclass(frozen=True)
class Choice:
    """One choice of the form: its name, the values that may be chosen with what they are called, and a line of help."""

    name: str
    label: str
    value: str
    options: list[tuple[str, str]]
    help: str = ""


def chosen_reading(posted: Mapping[str, str], how: Reading) -> Reading:
    """Return how the file is read as a person chose; what was not asked stays."""
    header = posted.get("header", "")
    line = whole_number(header, digits=9)
    return replace(
        how,
        encoding=posted.get("encoding", how.encoding),
        delimiter=posted.get("delimiter", how.delimiter),
        sheet=posted.get("sheet", how.sheet),
        header=how.header if not header else NO_TITLES if line is None else line,
    )


def choices_of(run: ImportRun, shown: Preview) -> list[Choice]:
    """Return what can be chosen about the file of a run; what its format does not have is not asked."""
    how = shown.how
    asked = [_encoding(run, how), _delimiter(how)] if how.delimiter else [_encoding(run, how)] if how.encoding else []
    if len(shown.sheets) > 1:
        found = [] if how.sheet else [("", "The first one with content")]
        asked.append(Choice("sheet", "Sheet", how.sheet, [*found, *((name, name) for name in shown.sheets)]))
    if shown.beginnings:
        asked.append(_titles(shown))
    return asked


def likely_words(run: ImportRun, shown: Preview) -> list[str]:
    """Return words that show whether the encoding is right."""
    letters = letters_of_run(run)
    return words_in(letters, shown.how.encoding) if letters and shown.how.encoding not in SURE else shown.words


def letters_of_run(run: ImportRun) -> bytes:
    """Return the bytes beyond ASCII that were seen at the upload, with what stands beside them."""
    return str((run.summary or {}).get("letters", "")).encode("latin-1")


def _encoding(run: ImportRun, how: Reading) -> Choice:
    letters = letters_of_run(run)
    if not letters:
        return Choice("encoding", "Encoding", how.encoding, list(ENCODINGS.items()))
    likely = likely_encodings(letters)
    # A file in UTF-16 is known by its first bytes.
    others = [name for name in ENCODINGS if name != "utf-16"]
    order = list(dict.fromkeys([*(guess.encoding for guess in likely), *others]))
    options = [(name, f"{ENCODINGS[name]}: {', '.join(words_in(letters, name)[:2])}") for name in order]
    guess = f"Guessed from its letters: {ENCODINGS[order[0]]}, {likely[0].sure:.0%} sure." if likely else ""
    return Choice("encoding", "Encoding", how.encoding, options, f"The file is neither UTF-8 nor UTF-16. {guess}")


def _delimiter(how: Reading) -> Choice:
    names = {**DELIMITERS, **_MORE_DELIMITERS}
    names.setdefault(how.delimiter, how.delimiter)
    options = [(character, _with_sign(character, name)) for character, name in names.items()]
    return Choice("delimiter", "Between the cells stand", how.delimiter, options)


def _with_sign(character: str, name: str) -> str:
    return name if character.isspace() or character == name else f"{name} ( {character} )"


def _titles(shown: Preview) -> Choice:
    """Offer each of the first rows as that of the titles, or none."""
    rows = {line: ", ".join(row)[:_TITLE_CHARACTERS] for line, row in shown.beginnings}
    if shown.how.has_titles:
        rows.setdefault(shown.how.first_line, ", ".join(shown.header)[:_TITLE_CHARACTERS])
    options = [(str(line), f"line {line}: {cells}") for line, cells in sorted(rows.items())]
    value = str(shown.how.header if shown.how.has_titles else NO_TITLES)
    help_line = "" if shown.how.has_titles else "The first row looks like values: columns are known by their places."
    return Choice(
        "header", "The titles stand on", value, [(str(NO_TITLES), "no line: there are none"), *options], help_line
    )
