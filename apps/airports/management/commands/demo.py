"""Set up and start a console with real airports, in one command."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.airports.demo import ADMIN, count_tables, is_taken, make_admin, worker_beside
from apps.airports.groups import create_groups
from apps.changesets.management.sentences import Writing, whole


class Command(Writing):
    help = "Migrate, make a superuser and the groups, import the bundled airports, and start the server and a worker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=whole, default=8000, help="the port of the server (default: 8000)")
        parser.add_argument(
            "--no-server", action="store_true", help="prepare everything, start neither server nor worker"
        )
        parser.add_argument(
            "--json", action="store_true", help="print one JSON object; what a person reads goes to stderr"
        )

    def handle(self, *args: Any, port: int, no_server: bool, **options: Any) -> None:
        self.for_person = self.stderr if options["json"] else self.stdout
        self._refuse(port, no_server=no_server)
        self.say("Preparing the database ...")
        call_command("migrate", verbosity=0)
        password = make_admin()
        create_groups()
        self._import_airports()
        url = f"http://127.0.0.1:{port}/admin/"
        counts = count_tables()
        if options["json"]:
            self.stdout.write(json.dumps({**counts, "url": url}))
        for name, count in counts.items():
            self.say(f"{name:<10} {count:>8,}")
        self._tell_login(url, password)
        if not no_server:
            self._serve(port)

    def _serve(self, port: int) -> None:
        with worker_beside():
            self.say("A worker for large imports runs beside the server, and stops with it (manage.py db_worker).")
            # Without the reloader, which would start by running this whole command again.
            call_command("runserver", f"127.0.0.1:{port}", use_reloader=False, stdout=self.for_person)

    def say(self, line: str) -> None:
        """Write a line for the person in front of the terminal."""
        self.for_person.write(line, style_func=str)
        self.for_person.flush()

    def _refuse(self, port: int, *, no_server: bool) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo makes a superuser and is for development only: it runs with DEBUG on.")
        if not 0 < port < 65536:
            raise CommandError(f"{port} is no port: use --port with a number from 1 to 65535.")
        if not no_server and is_taken(port):
            raise CommandError(f"Port {port} is taken by another program: use --port with a free one.")

    def _import_airports(self) -> None:
        if count_tables()["airports"]:
            # Existing airports may be newer or corrected; the snapshot would be a step back.
            self.say("Airports are here already; nothing to import.")
            return
        self.say("Importing the airports of data/ourairports-2022-10-11.csv.gz ...")
        call_command("import_airports", bundled=True, reason="First import of the demo", stdout=self.for_person)

    def _tell_login(self, url: str, password: str | None) -> None:
        self.say(f"Log in at {url} as {ADMIN}")
        if password:
            self.say(f"Password: {password} (shown this once, stored nowhere)")
        else:
            self.say(
                f"The user {ADMIN} was here already; `python manage.py changepassword {ADMIN}` sets a new password."
            )
