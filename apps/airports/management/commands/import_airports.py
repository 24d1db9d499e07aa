"""import_airports: import a file of OurAirports as one changeset."""

from argparse import ArgumentParser
from typing import Any

from apps.airports.management.importing import add_import_arguments, request_for
from apps.imports.management.importing import ImportingCommand, one_sentence


class Command(ImportingCommand):
    help = "Import airports from an OurAirports file as one changeset, which rollback_airports can undo."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_import_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        with one_sentence():
            request = request_for(options, "import_airports")
        self.import_requested(request, options)
