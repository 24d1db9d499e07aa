"""Undo the newest import of airports, or a chosen one, or everything since a moment."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from apps.airports.models import Airport
from apps.changesets.management.reverting import RevertingCommand
from apps.changesets.management.sentences import whole
from apps.changesets.management.times import read_time, time_taken, words_of
from apps.changesets.models import Changeset, Kind
from apps.changesets.revert import Scope, changesets_since, newest_revertable


class Command(RevertingCommand):
    help = "Undo the newest import of airports, or a chosen one, or everything since a moment."

    def add_arguments(self, parser: ArgumentParser) -> None:
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument("--changeset", type=whole, metavar="ID", help="undo this changeset")
        choice.add_argument("--since", metavar="TS", help='undo every import since, e.g. "2026-11-14 10:00:00"')
        parser.add_argument("--all-kinds", action="store_true", help="with --since: every change, not only imports")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        self.add_revert_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["all_kinds"] and not options["since"]:
            raise CommandError("--all-kinds goes with --since: name the moment to go back to.", returncode=2)
        if options["since"] is not None:
            # With --json only the object goes to stdout.
            out = self.stderr if options["json"] else self.stdout
            out.write(time_taken(options["since"], option="--since"))
        self.revert_these(_chosen(options), options, scope=Scope(), ask=not options["yes"])


def _chosen(options: dict[str, Any]) -> list[Changeset]:
    if options["changeset"] is not None:
        changeset = Changeset.objects.filter(pk=options["changeset"]).first()
        if changeset is None:
            raise CommandError(
                f"There is no changeset #{options['changeset']}: `python manage.py changesets list` shows them."
            )
        return [changeset]
    if options["since"] is not None:
        moment = read_time(options["since"], option="--since")
        chosen = changesets_since(moment, kind=None if options["all_kinds"] else Kind.IMPORT)
        if not chosen:
            raise CommandError(f"Nothing to undo since {words_of(moment)}.")
        return chosen
    newest = newest_revertable(kind=Kind.IMPORT, model=Airport._meta.label_lower)
    if newest is None:
        raise CommandError("There is no import of airports left to undo: `python manage.py changesets list` shows all.")
    return [newest]
