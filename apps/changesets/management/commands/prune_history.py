"""Forget old history."""

import json
from argparse import ArgumentParser
from typing import Any

from apps.changesets.history.pruning import plan_pruning, prune_history
from apps.changesets.management.sentences import InOneSentence
from apps.changesets.management.times import read_time, time_taken


class Command(InOneSentence):
    help = "Forget the history of what was changed before a moment, as far as nothing later needs it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--before", required=True, metavar="TS", help='the moment, e.g. "2026-11-14 10:00:00"')
        parser.add_argument("--dry-run", action="store_true", help="say what would go and change nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        before = read_time(options["before"], option="--before")
        done = plan_pruning(before) if options["dry_run"] else prune_history(before)
        if options["json"]:
            self.stdout.write(json.dumps({"rows": done.rows, "kept": done.kept, "changesets": done.changesets}))
            return
        self.stdout.write(time_taken(options["before"], option="--before"))
        self.stdout.write(f"{done.rows:>11,} rows of history {'would go' if options['dry_run'] else 'are gone'}")
        self.stdout.write(f"{done.kept:>11,} old ones are needed and kept")
        self.stdout.write(f"{done.changesets:>11,} changesets cannot be reverted from then on")
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was changed.")
