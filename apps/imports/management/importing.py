"""What commands that import have in common: a run unless it is a dry run, progress, and the report on a terminal."""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from django.core.management.base import CommandError
from django.utils import timezone

from apps.changesets.management.sentences import Writing
from apps.changesets.processes.locking import remark_on
from apps.imports.errors import BeyondLimits, ImportFailure, OptionsContradict
from apps.imports.mapping.changes import CHANGES, ValueChange, why_not_change
from apps.imports.mapping.headers import chosen_twice
from apps.imports.mapping.layout import titles_of
from apps.imports.plan.correction_count import corrections_in_words
from apps.imports.plan.plan import ImportPlan
from apps.imports.reading.encodings import ENCODINGS, UNICODE
from apps.imports.reading.rows import NO_TITLES, Reading
from apps.imports.results import NULL_WORDS, Progress, blanks_in_words
from apps.imports.runs.earlier_imports import earlier_in_words
from apps.imports.runs.engine import Finished, Request, import_now, plan_only
from apps.imports.runs.repeats import Repeat
from apps.imports.spec import ImportSpec

_SHOWN = 10
JSON_KEYS = (
    *("total", "created", "updated", "renamed", "unchanged", "skipped", "refused", "kept", "missing"),
    *("country_links", "countries_created", "city_links", "cities_created", "cells_refused", "disputed"),
    "corrections",
)


def add_reading_arguments(parser: ArgumentParser) -> None:
    """Add the arguments that say how a text file is read."""
    parser.add_argument(
        "--encoding", metavar="NAME", help=f"needed unless it is UTF-8 or UTF-16: {', '.join(ENCODINGS)}"
    )
    parser.add_argument("--delimiter", metavar="CHAR", help="what stands between the cells, such as ; or tab")
    parser.add_argument(
        "--header-line",
        type=_header_line,
        default=0,
        metavar="N",
        help="the line of the titles, or none: then the columns are called column 1, column 2, ...",
    )
    parser.add_argument(
        "--sheet", default="", metavar="NAME", help="of a spreadsheet (default: the first with content)"
    )
    parser.add_argument(
        "--map",
        nargs="+",
        default=[],
        metavar="COLUMN=TITLE",
        help="which column of the file fills one of ours, where its title is another one, such as ident=icao or "
        "name='column 2' (default: as the same titles were mapped in the admin)",
    )


def reading_of(options: dict[str, Any]) -> Reading:
    """Return how the person says that the file is read; nobody looks at the letters, so no encoding is guessed."""
    delimiter = options["delimiter"] or ""
    return Reading(
        encoding=options["encoding"] or UNICODE,
        delimiter="\t" if delimiter in ("tab", "\\t") else delimiter,
        header=options["header_line"],
        sheet=options["sheet"],
    )


def _header_line(text: str) -> int:
    if text == "none":
        return NO_TITLES
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text)):
        raise ArgumentTypeError(f"{text} is no line: give its number, 1 or more, or none.")
    return int(text)


def named_columns(words: Sequence[str], spec: ImportSpec) -> dict[str, str]:
    """Return the title for each field that --map gives; raises OptionsContradict for what cannot be meant."""
    fields = {title.casefold(): column.field for column in spec.columns for title in titles_of(column)}
    named: dict[str, str] = {}
    for word in words:
        column, equals, title = (part.strip() for part in word.partition("="))
        field = fields.get(column.casefold())
        if not (equals and title) or field is None:
            columns = ", ".join(column.header for column in spec.columns)
            raise OptionsContradict(f"--map {word}: write COLUMN=TITLE, where COLUMN is one of {columns}.")
        if field in named:
            raise OptionsContradict(f"--map gives {column} twice: {named[field]} and {title}.")
        named[field] = title
    for sentence in chosen_twice(named):
        raise OptionsContradict(f"--map: {sentence}")
    return named


@contextmanager
def one_sentence() -> Iterator[None]:
    """Within, an import that fails becomes a CommandError of one sentence."""
    try:
        yield
    except OptionsContradict as error:
        raise CommandError(str(error), returncode=2) from error
    except BeyondLimits as error:
        raise CommandError(f"{error} If the file is right, --past-limits with a --reason imports it.") from error
    except ImportFailure as error:
        raise CommandError(str(error)) from error


class ImportingCommand(Writing):
    """Base of the commands that import a file."""

    def import_requested(self, request: Request, options: dict[str, Any]) -> Finished:
        """Import what was asked for, or only plan it in a dry run, and print.

        Raises CommandError in one sentence, also when every row is refused.
        """
        progress = progress_on(sys.stderr)
        work = plan_only if options["dry_run"] else import_now
        try:
            with one_sentence():
                finished = work(request, progress=progress)
        finally:
            if progress:
                progress("done", 0)
        if options["json"]:
            self.stdout.write(json.dumps({**self.as_json(finished), "run": finished.run.pk if finished.run else None}))
        else:
            for line in lines_for_people(finished, dry_run=options["dry_run"]):
                self.stdout.write(line)
        if finished.counts["refused"] == finished.counts["total"]:
            raise CommandError(f"Every row of {finished.plan.file.name} is refused: is it the right file?")
        return finished

    def as_json(self, finished: Finished) -> dict[str, Any]:
        """Return what is printed as JSON."""
        numbers = {key: finished.counts.get(key, 0) for key in JSON_KEYS}
        changeset = finished.changeset.pk if finished.changeset else None
        earlier = {name: finished.earlier.get(name) for name in ("unusual", "same_file", "takes_back")}
        return {"changeset": changeset, **numbers, "duration_s": round(finished.duration, 3), **earlier}


def add_null_words(parser: ArgumentParser) -> None:
    """Add the argument that says which words mean: no value."""
    parser.add_argument(
        "--null",
        nargs="*",
        default=sorted(NULL_WORDS),
        metavar="WORD",
        help=f"cells that say so are blank (default: {' '.join(sorted(NULL_WORDS))}; without a word: none)",
    )


def add_match(parser: ArgumentParser, spec: ImportSpec) -> None:
    """Add the arguments that say by which key the rows are matched."""
    keys = ", ".join(f"{word} ({choice.title})" for word, choice in spec.match_choices.items())
    parser.add_argument(
        "--match",
        choices=tuple(spec.match_choices),
        default="",
        help=f"match the rows by this key alone: {keys}; other keys in the file are ignored",
    )
    parser.add_argument(
        "--ignore-case", action="store_true", help="keys of corrections in lower case name objects, too"
    )


def add_signs_of_numbers(parser: ArgumentParser) -> None:
    """Add the arguments that say how the file writes numbers."""
    parser.add_argument(
        "--decimal", choices=("point", "comma"), default="point", help="the decimal sign of numbers (default: point)"
    )
    parser.add_argument(
        "--thousands",
        choices=("none", "point", "comma", "space", "apostrophe"),
        default="none",
        help="what stands between the thousands of numbers (default: none; 5.000 is refused)",
    )


def signs_of_numbers(options: dict[str, Any]) -> dict[str, Any]:
    """Return how the person says that numbers are written, as options of an import."""
    thousands = options["thousands"]
    return {"decimal": options["decimal"], "thousands": "" if thousands == "none" else thousands}


def add_changes(parser: ArgumentParser) -> None:
    """Add the argument that says what the values of a column need."""
    parser.add_argument(
        "--change",
        action="append",
        default=[],
        metavar="FIELD=NAME[:ARGUMENT]",
        help=f"change the values of a field before they are read; may come again. Names: {', '.join(sorted(CHANGES))}",
    )


def changes_of(options: dict[str, Any], spec: ImportSpec) -> dict[str, list[ValueChange]]:
    """Return the changes that the person asks for, by field; raises OptionsContradict where one is not understood."""
    fields = {title: column.field for column in spec.columns for title in (column.header, column.field)}
    changes: dict[str, list[ValueChange]] = {}
    for text in options["change"]:
        title, _equals, what = text.partition("=")
        name, _colon, argument = what.partition(":")
        change = ValueChange(name, argument)
        if title not in fields:
            raise OptionsContradict(f"--change {text}: no field is called {title}; there are: {', '.join(fields)}.")
        if why := why_not_change(change):
            raise OptionsContradict(f"--change {text}: {why}")
        changes.setdefault(fields[title], []).append(change)
    return changes


def progress_on(stream: TextIO) -> Progress | None:
    """Return a progress line for a terminal, or None where nobody looks."""
    if not stream.isatty():
        return None

    def show(stage: str, rows: int) -> None:
        stream.write("\r\x1b[K" if stage == "done" else f"\r{stage} {rows:,} rows")
        stream.flush()

    return show


def lines_for_people(finished: Finished, *, dry_run: bool) -> Iterator[str]:
    """Yield what happened, what was refused and why, and what to do next."""
    plan, counts, opened = finished.plan, finished.counts, finished.changeset
    yield f"{plan.file.name} ({plan.file.sha256[:12]}, {plan.file.size:,} bytes)"
    width = max(len(name) for name in counts)
    for name, number in counts.items():
        yield f"  {name.replace('_', ' '):<{width}}  {number:>9,}"
    yield from _how_it_was_read(plan)
    if blanks := blanks_in_words(plan.read_as_blank):
        yield blanks
    if corrections := counts.get("corrections"):
        yield corrections_in_words(corrections, plan.spec, plan.options, plan.file.name)
    yield from _some("Refused", plan.refusals, max(counts["refused"] + counts["cells_refused"], len(plan.refusals)))
    kept = [f"{k.object_id} {k.field}: ours {k.current!r}, theirs {k.new!r}" for k in plan.kept]
    yield from _some("Kept, since somebody corrected them here", kept, len(kept))
    replaced = [
        f"{s.object_id} (id {s.source_id}) gives way to id {s.new_source_id}, line {s.line}"
        + (", and its corrections go with it" if s.corrected else "")
        for s in plan.superseded
    ]
    yield from _some("Superseded: gone from the file, their key given to another", replaced, counts["superseded"])
    skipped = counts.get("left_alone", 0)
    yield from _some("Skipped, since something changed after the plan was made", finished.left_alone, skipped)
    yield from earlier_in_words(finished.earlier, plan.spec)
    yield from plan.beyond_limits
    if dry_run:
        yield "Dry run: nothing was written. Leave out --dry-run to import."
    elif opened is None:
        yield "Nothing to change."
    else:
        if again := remark_on(opened):
            yield again
        yield f"Changeset {opened.pk}. Undo it: manage.py changesets revert {opened.pk}"


def _how_it_was_read(plan: ImportPlan | Repeat) -> Iterator[str]:
    """Yield what was found out or remembered about the file, and might be wrong."""
    if not plan.how.has_titles:
        yield "The file has no titles: its columns are called column 1, column 2, ..."
    if later := plan.later_titles:
        yield f"Not taken, since these keys come up late in the file: {', '.join(title[:40] for title in later)}"
    if known := plan.remembered:
        by = f" by {known.actor.get_username()}" if known.actor else ""
        # PostgreSQL keeps the keys of JSON in an order of its own.
        fields = [column.field for column in plan.spec.columns if column.field in known.mapping]
        columns = ", ".join(f"{field} from {known.mapping[field]}" for field in fields)
        yield f"Columns as mapped{by} on {timezone.localtime(known.updated_at):%d %B %Y}: {columns}"


def _some(title: str, items: Sequence[object], total: int) -> Iterator[str]:
    if items:
        yield f"{title}:"
        yield from (f"  {item}" for item in items[:_SHOWN])
        if total > _SHOWN:
            yield f"  ... and {total - min(_SHOWN, len(items)):,} more"
