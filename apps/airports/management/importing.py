"""What commands that import airports have in common: their arguments, and the file and options these mean."""

from argparse import ArgumentParser, ArgumentTypeError
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

from django.conf import settings

from apps.airports.columns import CORRECTIONS, OURAIRPORTS, SOURCE, URL
from apps.base.countries import is_known_code
from apps.imports.errors import ImportFailure, OptionsContradict
from apps.imports.management.importing import (
    add_changes,
    add_match,
    add_null_words,
    add_reading_arguments,
    add_signs_of_numbers,
    changes_of,
    named_columns,
    reading_of,
    signs_of_numbers,
)
from apps.imports.reading.sources import SourceFile, from_path, from_url, shown_address
from apps.imports.results import ImportOptions
from apps.imports.runs.engine import Request

BUNDLED = settings.BASE_DIR / "data" / "ourairports-2022-10-11.csv.gz"


def add_import_arguments(parser: ArgumentParser) -> None:
    """Add the arguments: a source, how it is read, which rows are taken, and how they are imported."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--bundled", action="store_true", help="the snapshot of October 2022 that comes with this")
    source.add_argument("--file", metavar="PATH", help="a CSV file, plain or gzip")
    source.add_argument("--url", nargs="?", const=URL, help=f"an https address; without a source: {URL}")
    add_reading_arguments(parser)
    _add_meaning_of_cells(parser)
    _add_choice_of_rows(parser)
    _add_policies(parser)
    parser.add_argument("--dry-run", action="store_true", help="only say what would happen")
    parser.add_argument("--reason", default="", help="why, for the changeset")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _add_meaning_of_cells(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--source",
        choices=(SOURCE, CORRECTIONS),
        default=SOURCE,
        metavar="NAME",
        help=f"{SOURCE} (a snapshot of upstream, the default) or {CORRECTIONS} (values corrected by hand: "
        "blank cells are left alone)",
    )
    parser.add_argument(
        "--from",
        dest="source_title",
        default="",
        metavar="TEXT",
        help="whose values the corrections are, such as 'National AIP' (default: the name of the file)",
    )
    parser.add_argument(
        "--blank",
        choices=("keep", "clear"),
        default="",
        help="what a blank cell does to the value here (default: a snapshot clears it, corrections keep it)",
    )
    parser.add_argument(
        "--bad-cell",
        choices=("row", "cell"),
        default="",
        help="what a cell that breaks a rule refuses: its row (default of a snapshot), or only itself (of corrections)",
    )
    add_null_words(parser)
    add_match(parser, OURAIRPORTS)
    add_signs_of_numbers(parser)
    add_changes(parser)


def _add_choice_of_rows(parser: ArgumentParser) -> None:
    parser.add_argument("--filter-iata", action="store_true", help="leave out rows without an IATA code")
    parser.add_argument("--country", metavar="XX", help="leave out rows of other countries")
    parser.add_argument("--limit", type=_positive, metavar="N", help="take the first N rows that are not left out")
    parser.add_argument("--skip-country-link", action="store_true", help="link no country, and so no city either")
    parser.add_argument("--skip-city-link", action="store_true", help="link no city")


def _add_policies(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--on-local-edit",
        choices=("keep", "overwrite", "abort"),
        default="keep",
        help="what to do with values that were corrected here and changed upstream since (default: keep)",
    )
    parser.add_argument(
        "--missing",
        choices=("report", "deactivate", "delete"),
        default="report",
        help="what to do with airports that the file does not have (default: report)",
    )
    parser.add_argument(
        "--missing-limit",
        type=float,
        default=ImportOptions.missing_limit,
        metavar="PERCENT",
        help="nothing is imported when more of the airports would be deactivated or deleted (default: 1; a hundred "
        "always may be)",
    )
    parser.add_argument(
        "--past-limits",
        action="store_true",
        help="import although it goes past the limits of the settings GATE_...; only with --reason",
    )
    parser.add_argument(
        "--disputed",
        choices=("refuse", "id", "ident"),
        default="refuse",
        help="which key counts in a row whose id names one airport, while its ident, or its name, country and position "
        "together, speak of another one (default: neither, such a row is refused)",
    )
    parser.add_argument("--strict", action="store_true", help="refuse the whole file when a row is refused")


def request_for(options: dict[str, Any], command: str, **extra: Any) -> Request:
    """Return what the person asked for; raises OptionsContradict or ImportFailure."""
    chosen = import_options(options)
    return Request(
        spec=OURAIRPORTS,
        open_source=partial(source_of, options),
        options=lambda _source: chosen,
        command=command,
        file_name=str(BUNDLED.name if options["bundled"] else options["file"] or shown_address(options["url"] or URL)),
        reason=options["reason"],
        how=reading_of(options),
        **extra,
    )


def source_of(options: dict[str, Any]) -> AbstractContextManager[SourceFile]:
    """Return the file that was asked for; raises SourceUnavailable."""
    if options["bundled"] or options["file"]:
        return nullcontext(from_path(BUNDLED if options["bundled"] else options["file"]))
    return from_url(options["url"] or URL)


def import_options(options: dict[str, Any]) -> ImportOptions:
    """Return what the person asked for as options of an import."""
    if options["past_limits"] and not options["reason"].strip():
        raise OptionsContradict("--past-limits needs --reason: say why the limits do not hold for this file.")
    only = {}
    if options["filter_iata"]:
        only["iata_code"] = bool
    if options["country"]:
        code = options["country"].strip().upper()
        if not is_known_code(code):
            raise ImportFailure(f"--country {options['country']} is no country: give its two letters, such as CH.")
        only["iso_country"] = code.__eq__
    skipped = {"country", "city"} if options["skip_country_link"] else {"city"} if options["skip_city_link"] else ()
    return ImportOptions(
        corrections=options["source"] == CORRECTIONS,
        blank=options["blank"],
        bad_cell=options["bad_cell"],
        null_words=frozenset(options["null"]),
        match=options["match"],
        ignore_case=options["ignore_case"],
        named=named_columns(options["map"], OURAIRPORTS),
        **signs_of_numbers(options),
        changes=changes_of(options, OURAIRPORTS),
        on_local_edit=options["on_local_edit"],
        missing=options["missing"],
        missing_limit=options["missing_limit"],
        strict=options["strict"],
        limit=options["limit"],
        only=only,
        skip_links=frozenset(skipped),
        past_limits=options["past_limits"],
        disputed=options["disputed"],
        source_title=options["source_title"].strip(),
    )


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise ArgumentTypeError(f"{text} is no number of rows: give 1 or more.")
    return int(text)
