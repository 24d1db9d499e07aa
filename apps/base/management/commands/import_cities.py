"""import_cities: take what a file of GeoNames knows better of the cities that we have, as one changeset."""

from argparse import ArgumentParser
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from apps.base.geonames import GEONAMES, options_for
from apps.imports.management.importing import (
    ImportingCommand,
    add_null_words,
    add_reading_arguments,
    add_signs_of_numbers,
    named_columns,
    one_sentence,
    reading_of,
    signs_of_numbers,
)
from apps.imports.reading.sources import from_path
from apps.imports.runs.engine import Request


class Command(ImportingCommand):
    help = "Enrich existing cities from a GeoNames-style file as one changeset; no city is made."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--file",
            metavar="PATH",
            required=True,
            help="a file of GeoNames (cities500.txt and the like), or a table with its titles; plain or gzip",
        )
        add_reading_arguments(parser)
        add_null_words(parser)
        add_signs_of_numbers(parser)
        parser.add_argument("--dry-run", action="store_true", help="only say what would happen")
        parser.add_argument("--reason", default="", help="why, for the changeset")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        path, how = options["file"], reading_of(options)
        with one_sentence():
            named = named_columns(options["map"], GEONAMES)
        null_words, signs = frozenset(options["null"]), signs_of_numbers(options)
        request = Request(
            spec=GEONAMES,
            open_source=lambda: nullcontext(from_path(path)),
            options=lambda source: replace(options_for(source, how), null_words=null_words, named=named, **signs),
            command="import_cities",
            file_name=str(path),
            reason=options["reason"],
            how=how,
        )
        self.import_requested(request, options)
