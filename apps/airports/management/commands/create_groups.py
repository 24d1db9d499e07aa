"""Make the groups of the console, or give them their permissions again."""

import json
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import Permission
from django.core.management.base import CommandError

from apps.airports.groups import create_groups
from apps.changesets.management.sentences import Writing


class Command(Writing):
    help = "Make the groups viewer, editor, importer, steward and approver with their permissions; can be run again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            groups = create_groups()
        except Permission.DoesNotExist as error:
            raise CommandError("A permission is missing: run `python manage.py migrate` first.") from error
        if options["json"]:
            self.stdout.write(json.dumps({"groups": list(groups)}))
            return
        for name, count in groups.items():
            self.stdout.write(f"{name:<10} {count:>3} permissions")
        self.stdout.write("Put people into groups at Users in the admin.")
