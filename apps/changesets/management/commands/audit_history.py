"""Compare every live row with its newest history row."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from apps.changesets.management.sentences import Writing
from apps.changesets.models import Changeset, Kind
from apps.changesets.recording import install_recording, recording_problems
from apps.changesets.recording.audit import find_drift, record_drift


class Command(Writing):
    help = "Compare every live row with its newest history row; exit 1 when any differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repair", action="store_true", help="record what is missing, and install the recording")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        # Without tables, repairing is not what helps: this says so.
        Changeset.objects.exists()
        repaired = []
        if options["repair"]:
            if recording_problems():
                install_recording()
            repaired = record_drift(kind=Kind.DIRECT, reason="Found by audit_history: changed while not recorded.")
        problems = recording_problems()
        objects, drifts = find_drift()
        drift = sum(of_model.total for of_model in drifts)

        if options["json"]:
            self.stdout.write(json.dumps({"objects": objects, "drift": drift}))
        else:
            for changeset in repaired:
                self.stdout.write(f"Recorded what was missing as {changeset}.")
            for of_model in drifts:
                self.stdout.write(
                    f"{of_model.model}: {of_model.unrecorded:,} without history, {of_model.changed:,} changed, "
                    f"{of_model.gone:,} gone; for example {', '.join(of_model.examples[:5])}"
                )
            self.stdout.write(f"{objects:,} objects, {drift:,} that differ from their history.")
        if problems:
            raise CommandError(f"{problems[0]} Run `python manage.py audit_history --repair`.")
        if drift:
            raise CommandError(
                f"{drift:,} objects differ from their history. "
                "Run `python manage.py audit_history --repair` to record it."
            )
