"""health: how the console is, for a person, a monitor or cron."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from apps.changesets.management.sentences import InOneSentence
from travelmathlite.alerts import NotSent, send_alerts
from travelmathlite.health import Part, as_json, look_at_parts


class Command(InOneSentence):
    help = "Tell how each part of the console is; exit 1 when something needs somebody."

    def add_arguments(self, parser: ArgumentParser) -> None:
        kind = parser.add_mutually_exclusive_group()
        kind.add_argument("--live", action="store_true", help="only whether the console answers at all")
        kind.add_argument(
            "--alert", action="store_true", help="also tell ALERT_EMAIL and ALERT_WEBHOOK, each thing once a day"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object, that of /healthz or /readyz")

    def handle(self, *args: Any, **options: Any) -> None:
        parts = {} if options["live"] else look_at_parts()
        if options["json"]:
            self.stdout.write(json.dumps(as_json(parts)))
        else:
            self._write_for_a_person(parts)
        if options["alert"]:
            self._alert(parts)
        if bad := [name for name, part in parts.items() if not part.ok]:
            raise CommandError(f"Not as it should be: {', '.join(bad)}.")

    def _write_for_a_person(self, parts: dict[str, Part]) -> None:
        width = max(map(len, parts), default=0)
        for name, part in parts.items():
            self.stdout.write(f"{'✓' if part.ok else '!'} {name:<{width}}  {part.message}")
        if not parts:
            self.stdout.write("The console answers.")

    def _alert(self, parts: dict[str, Part]) -> None:
        if not (settings.ALERT_EMAIL or settings.ALERT_WEBHOOK):
            raise CommandError("Nobody is there to be told: set ALERT_EMAIL or ALERT_WEBHOOK.")
        try:
            for sentence in send_alerts(parts):
                self.stderr.write(f"Sent: {sentence}", style_func=str)
        except NotSent as error:
            raise CommandError(str(error)) from error
