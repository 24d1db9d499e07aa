"""What the commands that revert share: options, the printed plan, the question, the JSON."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from apps.changesets.management.sentences import Writing
from apps.changesets.models import Changeset
from apps.changesets.processes.locking import remark_on
from apps.changesets.revert import Bucket, RevertPlan, Scope, carry_out, plan_revert
from apps.changesets.revert.verdicts import OnConflict

SENTENCES = {
    Bucket.RESTORED: "~ {:>9,} objects get their old values back",
    Bucket.DELETED: "- {:>9,} objects that it created are deleted",
    Bucket.RECREATED: "+ {:>9,} objects that it deleted come back",
    Bucket.ALREADY: "  {:>9,} objects are as they were already",
    Bucket.KEPT: "= {:>9,} objects are kept, changed since",
    Bucket.BLOCKED: "! {:>9,} objects are blocked",
}


class RevertingCommand(Writing):
    """Base of the commands that revert changesets."""

    def add_revert_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="show the plan and change nothing")
        parser.add_argument(
            "--on-conflict",
            choices=[str(policy) for policy in OnConflict],
            default=str(OnConflict.KEEP),
            help="values changed since: keep them (default), force the old ones, or abort",
        )
        parser.add_argument("--reason", default="", help="why; it is kept with the changeset")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def revert_these(self, changesets: list[Changeset], options: dict[str, Any], *, scope: Scope, ask: bool) -> None:
        """Revert and report; with `ask`, show the plan and ask first, and with --dry-run only show it."""
        policy = options["on_conflict"]
        if options["dry_run"] or ask:
            plan = plan_revert(changesets, scope=scope, on_conflict=policy)
            if not options["json"]:
                self._show(plan, "Reverting {} means:")
            if options["dry_run"]:
                self._report(plan, None, options)
                return
            if not self._agreed(options):
                self.stdout.write("Nothing was changed.")
                return
        made, done = carry_out(changesets, scope=scope, on_conflict=policy, actor=None, reason=options["reason"])
        if not (ask or options["json"]):
            self._show(done, "Reverting {} meant:")
        self._report(done, made, options)

    def _agreed(self, options: dict[str, Any]) -> bool:
        if options["json"]:
            raise CommandError("With --json nobody can be asked: add --yes, or --dry-run to see the plan.")
        try:
            return input("Revert? [y/N] ").strip().lower() in ("y", "yes")
        except EOFError as error:
            raise CommandError("This needs an answer: add --yes to go ahead.") from error

    def _show(self, plan: RevertPlan, heading: str) -> None:
        self.stdout.write(heading.format(", ".join(f"#{pk}" for pk in plan.changesets)))
        for bucket, sentence in SENTENCES.items():
            if number := plan.number(bucket):
                self.stdout.write(f"  {sentence.format(number)}")
        for verdict in plan.verdicts:
            if verdict.bucket in (Bucket.KEPT, Bucket.BLOCKED):
                self.stdout.write(f"    {verdict.model} {verdict.pk} ({verdict.label}): {verdict.sentence}")

    def _report(self, plan: RevertPlan, made: Changeset | None, options: dict[str, Any]) -> None:
        if options["json"]:
            buckets = (Bucket.RESTORED, Bucket.DELETED, Bucket.RECREATED, Bucket.KEPT, Bucket.BLOCKED)
            answer: dict[str, Any] = {"changesets": list(plan.changesets), "revert": made.pk if made else None}
            self.stdout.write(json.dumps(answer | {str(bucket): plan.number(bucket) for bucket in buckets}))
        elif options["dry_run"]:
            self.stdout.write("Dry run: nothing was changed.")
        elif made is None:
            self.stdout.write("Everything is as it was already: nothing was changed.")
        else:
            if again := remark_on(made):
                self.stdout.write(again)
            self.stdout.write(f"Done as {made}. To undo it: python manage.py changesets revert {made.pk}")
