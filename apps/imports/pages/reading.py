"""The page between upload and plan: how the file is read, and which column fills which field, with its first rows."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from apps.changesets.acts.actor import actor_of
from apps.changesets.acts.forms import LONGEST_REASON
from apps.changesets.acts.methods import ASKS, turned_away
from apps.changesets.text import whole_number
from apps.imports.errors import ImportFailure
from apps.imports.mapping import headers
from apps.imports.mapping.layout import likely_match, missing_columns
from apps.imports.models import ImportRun
from apps.imports.pages.addresses import run_url
from apps.imports.pages.importing import as_corrections
from apps.imports.pages.mapping import (
    Columns,
    commas_of_file,
    left_out,
    mapping_errors,
    mapping_rows,
    posted_columns,
    proposed_columns,
)
from apps.imports.reading.delimited import DELIMITERS
from apps.imports.reading.encodings import ENCODINGS, SURE, likely_encodings, words_in
from apps.imports.reading.rows import NO_TITLES, Reading
from apps.imports.registry import spec_named
from apps.imports.results import Decimal, ImportOptions
from apps.imports.runs.confirming import may_decide
from apps.imports.runs.opening import set_options
from apps.imports.runs.preview import Preview, preview
from apps.imports.spec import ImportSpec
from apps.imports.tasks import start_planning

# Posted by the button that only shows the file again.
SHOW = "show"
DECIMALS: dict[Decimal, str] = {"point": "a point: 8.55", "comma": "a comma: 8,55"}


def reading_page(request: HttpRequest, run: ImportRun, context: dict[str, Any]) -> HttpResponse:
    """Show how the file is read, with a good guess (GET) or as chosen (POST `show`), or take it and plan (POST).

    With `part` in the address only the form is returned, for the script that replaces it.
    """
    if (refused := turned_away(request, ASKS, may=may_decide(request.user, run))) is not None:
        return refused
    posted = request.POST if request.method == "POST" else {}
    spec = spec_named(run.spec)
    try:
        shown = preview(run, chosen_reading(posted, Reading(**run.how)))
        options = _options(posted, spec, ImportOptions.from_json(run.options))
        errors = [shown.refusal] if shown.refusal else []
        columns = proposed_columns(run, shown, spec, options)
        if posted and posted.get("titles", mark_of(shown.header)) == mark_of(shown.header):
            columns = posted_columns(posted, columns, shown.header, spec)
        else:
            options = replace(options, match=likely_match(columns.chosen, spec, options))
            columns, options = commas_of_file(columns, options)
            if posted and not errors and SHOW not in posted:
                errors = ["Read like this, the file has other columns: look at them again."]
        if posted and SHOW not in posted and not errors:
            errors = mapping_errors(columns, spec, options)
            if not errors:
                return _plan(request, run, shown, as_corrections(columns.options(options)))
    except ImportFailure as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(run_url(run))
    context |= _context(run, shown, spec, options, columns, errors, posted=bool(posted))
    template = "reading_form.html" if "part" in request.GET else "mapping.html"
    return TemplateResponse(request, f"admin/imports/{template}", context)


def mark_of(header: list[str]) -> str:
    """Return a mark of titles, by which the page knows that they are no longer those that it showed."""
    return hashlib.sha256("\x1f".join(header).encode()).hexdigest()[:16]


def _options(posted: Mapping[str, str], spec: ImportSpec, options: ImportOptions) -> ImportOptions:
    if "source" in posted:
        options = replace(options, corrections=not spec.upstream or posted["source"] == "corrections")
    decimal = next((sign for sign in DECIMALS if sign == posted.get("decimal")), options.decimal)
    options = replace(options, decimal=decimal)
    if posted.get("match", options.match) in ("", *spec.match_choices):
        options = replace(options, match=posted.get("match", options.match))
    if "null_words" in posted:
        # A box that is not ticked is not posted: its neighbour tells that it was asked.
        ignore_case = "ignore_case" in posted and options.corrections
        options = replace(
            options, null_words=frozenset(posted["null_words"][:LONGEST_REASON].split()), ignore_case=ignore_case
        )
    return options


def _plan(request: HttpRequest, run: ImportRun, shown: Preview, options: ImportOptions) -> HttpResponse:
    run = set_options(run, options, actor=actor_of(request), read=shown)
    # Places say nothing about what stands there in the next file.
    if shown.how.has_titles:
        mapping, changes = options.mapping or {}, options.changes
        headers.remember(run.header, spec_named(run.spec), mapping, changes=changes, actor=actor_of(request))
    start_planning(run)
    return HttpResponseRedirect(run_url(run))


def _context(
    run: ImportRun,
    shown: Preview,
    spec: ImportSpec,
    options: ImportOptions,
    columns: Columns,
    errors: list[str],
    *,
    posted: bool,
) -> dict[str, Any]:
    lacks = missing_columns(columns.chosen, spec, corrections=False) if spec.upstream else []
    known = headers.recall(shown.header, spec)
    return {
        "title": f"How {run.file_name} is read",
        "run": run,
        "model": spec.model._meta,
        "spec": spec,
        "step": 1,
        "shown": shown,
        "choices": choices_of(run, shown),
        "words": likely_words(run, shown),
        "ignore_case": options.ignore_case,
        "null_words": " ".join(sorted(options.null_words)),
        "matches": [("", "The usual keys"), *((word, choice.title) for word, choice in spec.match_choices.items())],
        "match": options.match,
        "titles_mark": mark_of(shown.header),
        "other_file": headers.other_file(shown.header, spec),
        "why_not_again": known and headers.why_not_again(known, shown.header, spec, options),
        "fields": list(mapping_rows(spec, columns, shown, options)),
        "left_out": left_out(columns),
        "decimals": DECIMALS,
        "decimal": options.decimal,
        "titles": _titles(shown),
        "not_taken": headers.not_taken(shown.header, columns.chosen),
        "asked_for_snapshot": bool(spec.upstream) and not options.corrections,
        "corrections": options.corrections or (not posted and bool(lacks)),
        "lacks": lacks,
        "not_one_known": shown.how.has_titles and bool(shown.rows) and not columns.chosen and not errors,
        "errors": errors,
    }


def _titles(shown: Preview) -> list[tuple[str, str]]:
    """Return the titles to choose from, and what they are called: a place says nothing without its first value."""
    titles = [(title, title) for title in shown.header if title]
    if shown.how.has_titles or not shown.rows:
        return titles
    return [(title, f"{title}: {value}") for (title, _label), value in zip(titles, shown.rows[0][1], strict=False)]


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
        asked.append(_title_lines(shown))
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


def _title_lines(shown: Preview) -> Choice:
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
