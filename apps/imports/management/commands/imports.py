"""imports: what becomes of the files that were uploaded."""

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from apps.changesets.management.sentences import InOneSentence, whole
from apps.changesets.processes.watched import Snapshot, progress_of
from apps.imports.errors import ImportFailure
from apps.imports.models import BUSY, ImportRun, RunStatus
from apps.imports.runs.confirming import cancel_run
from apps.imports.runs.lease import fail_dead_runs, last_heard_of
from apps.imports.tasks import start_lost_runs


class Command(InOneSentence):
    help = "Show the runs of imports, how far they are and whether their workers live; cancel one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        status = verbs.add_parser("status", help="the newest runs")
        status.add_argument("--limit", type=whole, default=20, metavar="N", help="how many (default: 20)")
        status.add_argument("--json", action="store_true", help="print one JSON array")
        cancel = verbs.add_parser("cancel", help="cancel a run; a worker that is busy with it stops within seconds")
        cancel.add_argument("run", type=whole, metavar="ID", help="the number that status shows")
        cancel.add_argument("--json", action="store_true", help="print a JSON array with the run")

    def writes(self, options: dict[str, Any]) -> bool:
        return bool(options["verb"] == "cancel")

    def handle(self, *args: Any, **options: Any) -> None:
        fail_dead_runs()
        start_lost_runs()
        if options["verb"] == "cancel":
            self._cancel(options["run"], as_json=options["json"])
            return
        runs = list(ImportRun.objects.order_by("-pk")[: options["limit"]])
        runs_seen = [(run, progress_of(run.pk) if run.status in BUSY else None) for run in runs]
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(*seen) for seen in runs_seen]))
            return
        for seen in runs_seen:
            self.stdout.write(_line(*seen))
        if not runs:
            self.stdout.write("No imports yet.")

    def _cancel(self, number: int, *, as_json: bool) -> None:
        run = ImportRun.objects.filter(pk=number).first()
        if run is None:
            raise CommandError(f"There is no import {number}: `manage.py imports status` shows those there are.")
        try:
            run = cancel_run(run, actor=None)
        except ImportFailure as error:
            raise CommandError(str(error)) from error
        if as_json:
            self.stdout.write(json.dumps([_as_json(run, progress_of(run.pk) if run.status in BUSY else None)]))
        elif run.status in BUSY:
            self.stdout.write(f"{run} was asked to stop; `manage.py imports status` shows when it has.")
        elif run.status == RunStatus.FAILED:
            self.stdout.write(f"{run} has failed, since its worker had gone; nothing was written.")
        else:
            self.stdout.write(f"{run} is cancelled; nothing was written.")


def _as_json(run: ImportRun, seen: Snapshot | None) -> dict[str, Any]:
    return {
        "id": run.pk,
        "spec": run.spec,
        "status": run.status,
        "actor": run.actor_name,
        "file": run.file_name,
        "phase": seen.phase if seen else None,
        "done": seen.done if seen else None,
        "total": seen.total if seen else (run.counts or {}).get("total"),
        "rate": round(seen.rate, 1) if seen and seen.rate is not None else None,
        "seconds_left": round(seen.seconds_left) if seen and seen.seconds_left is not None else None,
        "error": run.error,
        "changeset": run.changeset_id,
        "created_at": run.created_at.isoformat(),
    }


def _line(run: ImportRun, seen: Snapshot | None) -> str:
    line = f"{run.pk:>5}  {run.spec:<12} {run.get_status_display():<14} {run.actor_name or '-':<12} {run.file_name}"
    if run.status in BUSY:
        line += f"  {_how_far(seen)}heard of {max(time.time() - last_heard_of(run), 0):.0f} s ago"
    elif run.changeset_id:
        line += f"  changeset {run.changeset_id}"
    elif run.error:
        line += f"  {run.error}"
    return line


def _how_far(seen: Snapshot | None) -> str:
    if seen is None:
        return ""
    of = f" of {seen.total:,}" if seen.total is not None else ""
    rate = f", {seen.rate:,.0f} a second" if seen.rate else ""
    left = f", {seen.seconds_left:.0f} s left" if seen.seconds_left is not None else ""
    return f"{seen.phase}: {seen.done:,}{of} rows{rate}{left}; "
