"""import_airports: bring an OurAirports file in, as one changeset."""

from argparse import ArgumentParser
from functools import partial
from typing import Any

from apps.airports.management.importing import add_import_arguments, make_plan
from apps.imports.management.importing import ImportingCommand


class Command(ImportingCommand):
    help = "Import airports from an OurAirports file as one changeset, which rollback_airports can undo."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_import_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        self.import_planned(partial(make_plan, options), options)
