"""Compare every live row with its newest history row, every history row with its changeset, and counts with rows."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from apps.changesets.management.sentences import InOneSentence
from apps.changesets.models import Changeset, Kind
from apps.changesets.recording import install_recording, recording_problems
from apps.changesets.recording.audit import (
    count_orphans,
    find_drift,
    find_miscounted,
    mend_changesets,
    note_drift,
    record_drift,
)

REASON = "Found by audit_history: changed while not recorded."


class Command(InOneSentence):
    help = (
        "Compare every live row with its newest history row, and history with its changesets; exit 1 when any differs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repair", action="store_true", help="record what is missing, and install the recording")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        # Without tables, repairing is not what helps: this says so.
        Changeset.objects.exists()
        done = _repair() if options["repair"] else []
        problems = recording_problems()[:1]
        objects, drifts = find_drift()
        drift = note_drift(objects, drifts).drift
        orphans, miscounted = count_orphans(), find_miscounted()

        if options["json"]:
            found = {"objects": objects, "drift": drift, "orphans": orphans, "miscounted": len(miscounted)}
            self.stdout.write(json.dumps(found))
        else:
            for line in done:
                self.stdout.write(line)
            for of_model in drifts:
                self.stdout.write(
                    f"{of_model.model}: {of_model.unrecorded:,} without history, {of_model.changed:,} changed, "
                    f"{of_model.gone:,} gone; for example {', '.join(of_model.examples[:5])}"
                )
            self.stdout.write(f"{objects:,} objects, {drift:,} that differ from their history.")
        if drift:
            problems.append(f"{drift:,} objects differ from their history.")
        if orphans:
            problems.append(f"{orphans:,} rows of history name a changeset that does not exist.")
        if miscounted:
            numbers = ", ".join(f"#{changeset.pk}" for changeset in miscounted[:5])
            problems.append(f"{len(miscounted):,} changesets have counts that are not those of their rows ({numbers}).")
        if problems:
            raise CommandError(f"{' '.join(problems)} Run `python manage.py audit_history --repair` to mend it.")


def _repair() -> list[str]:
    """Install the recording if it does not fit, record what is missing, mend changesets; return what was done."""
    if recording_problems():
        install_recording()
    recorded = record_drift(kind=Kind.DIRECT, reason=REASON)
    return [
        *(f"Recorded what was missing as {changeset}." for changeset in recorded),
        *(f"Mended {changeset}: its counts are those of its rows." for changeset in mend_changesets()),
    ]
