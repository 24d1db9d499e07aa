"""A command of a package that must not run here."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class RefusedCommand(BaseCommand):
    help = "Refused: the database records history; rows are neither added nor thinned out by hand."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("anything", nargs="*")

    def run_from_argv(self, argv: list[str]) -> None:
        # Whatever the options are, the answer is the same.
        super().run_from_argv(argv[:2])

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError(
            "simple-history's maintenance commands are not used here: the database records history. "
            "Use `python manage.py audit_history --repair` for rows without history."
        )
