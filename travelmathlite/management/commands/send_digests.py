"""send_digests: mails to those who follow something, for a timer."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError

from apps.changesets.management.sentences import InOneSentence
from apps.changesets.text import counted
from travelmathlite.digests import send_digests


class Command(InOneSentence):
    help = "Send each person who follows something one mail of what is new; exit 1 when a mail could not be sent."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object: sent quiet failed")

    def writes(self, options: dict[str, Any]) -> bool:
        return True

    def handle(self, *args: Any, **options: Any) -> None:
        done = send_digests()
        if options["json"]:
            self.stdout.write(json.dumps(asdict(done)))
        else:
            people = counted(done.quiet, "person has", "people have")
            self.stdout.write(f"{counted(done.sent, 'mail')} sent; {people} nothing new.")
        if done.failed:
            names = ", ".join(done.failed)
            raise CommandError(f"No mail could be sent to {names}: check EMAIL_URL. The next run tries again.")
