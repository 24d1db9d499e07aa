"""Back up the database, prove that backups restore, and restore them."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from apps.backups.catalogue.manifests import Backup, newest_backup, read_catalogue, why_not_own
from apps.backups.catalogue.offsite import only_offsite
from apps.backups.catalogue.pruning import prune
from apps.backups.creating import create_backup
from apps.backups.errors import BackupFailure, megabytes
from apps.backups.kinds import FULL, OBJECT
from apps.backups.objects.catalogue import ObjectBackup
from apps.backups.objects.making import back_up_object
from apps.backups.restore.database import Restored, restore
from apps.backups.restore.opening import find_backup
from apps.backups.restore.point_in_time import in_words, read_upto
from apps.backups.restore.verify import verify
from apps.changesets.identity import identity_of
from apps.changesets.management.sentences import Writing
from apps.changesets.text import counted
from apps.changesets.tracking import tracked_by_name, tracked_models

ASKED_FOR = (FULL, "data", "incremental", OBJECT)


class Command(Writing):
    help = "Back up the database, prove that backups restore, and restore them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        todo = parser.add_subparsers(dest="todo", required=True)
        create = todo.add_parser("create", help="make a backup, while people work")
        create.add_argument("--kind", choices=ASKED_FOR, default=FULL, help="what sort of backup (default full)")
        create.add_argument(
            "--model", metavar="M", help=f"of one object: {', '.join(t.name for t in tracked_models())}"
        )
        create.add_argument("--pk", metavar="K", help="of one object: its key")
        create.add_argument("--tables", nargs="+", default=[], metavar="T", help="only these tables")
        create.add_argument("--label", default="", metavar="T", help="a few words that tell it from the others")
        listing = todo.add_parser("list", help="what there is, newest first")
        listing.add_argument("--all", action="store_true", help="those of other databases, too")
        verifying = todo.add_parser("verify", help="restore it into a scratch database and compare")
        verifying.add_argument("id", nargs="?", metavar="ID")
        verifying.add_argument("--latest", action="store_true", help="the newest backup")
        pruning = todo.add_parser("prune", help="remove backups that have had their time")
        pruning.add_argument("--dry-run", action="store_true", help="say which, and remove nothing")
        restoring = todo.add_parser("restore", help="make the database what the backup has")
        restoring.add_argument("id", metavar="ID")
        restoring.add_argument("--into", metavar="URL", help="a fresh file or database, and not the live one")
        restoring.add_argument("--table", nargs="+", default=[], metavar="T", help="only the rows of these tables")
        restoring.add_argument(
            "--upto",
            metavar="CHANGESET|TIME",
            help="go on with its increments, up to 41 or 2026-04-01T12:30",
        )
        restoring.add_argument("--reason", default="", help="why; it is kept in the journal")
        restoring.add_argument("--trust", action="store_true", help="though this installation did not sign it")
        restoring.add_argument("--yes", action="store_true", help="do not ask")
        for sub in todo.choices.values():
            sub.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"do_{options['todo']}")(options)
        except BackupFailure as error:
            raise CommandError(str(error)) from error

    def do_create(self, options: dict[str, Any]) -> None:
        """Make a backup."""
        if (options["kind"] == OBJECT) != bool(options["model"]) or bool(options["model"]) != bool(options["pk"]):
            raise CommandError("Name one object with --kind object --model M --pk K, all three.", returncode=2)
        if options["kind"] == OBJECT:
            self._create_of_object(options)
            return
        made = create_backup(
            actor=None,
            reason=options["label"],
            kind=options["kind"],
            label=options["label"],
            tables=tuple(options["tables"]),
        )
        if options["json"]:
            self.stdout.write(json.dumps(as_json(made)))
            return
        self.stdout.write(f"Made {made.id}: {made.rows:,} rows, {megabytes(made.size_bytes)}, in {made.file}")
        self.stdout.write(f"To prove that it restores: python manage.py backup verify {made.id}")

    def _create_of_object(self, options: dict[str, Any]) -> None:
        tracked = tracked_by_name(options["model"])
        if tracked is None:
            names = ", ".join(known.name for known in tracked_models())
            raise CommandError(f"There is no model {options['model']!r}: choose {names}.")
        try:
            obj = tracked.model._base_manager.filter(pk=options["pk"]).first()
        except (ValueError, TypeError):
            obj = None
        if obj is None:
            raise CommandError(f"There is no {tracked.name} with key {options['pk']}: look at its page for the key.")
        made = back_up_object(obj, actor=None, reason=options["label"])
        if options["json"]:
            self.stdout.write(json.dumps(object_as_json(made)))
        else:
            self.stdout.write(f"Made {made.name}: {made.object_name}, in {made.place}")

    def do_list(self, options: dict[str, Any]) -> None:
        """Print the backups, newest first, and then those that are only elsewhere."""
        catalogue = read_catalogue()
        every = catalogue.backups + only_offsite(catalogue.backups)
        database = identity_of() if every else ""
        # Of which database an unsigned one is, nobody knows.
        shown = [backup for backup in every if options["all"] or backup.foreign or not why_not_own(backup, database)]
        if options["json"]:
            self.stdout.write(json.dumps([as_json(backup, foreign=why_not_own(backup, database)) for backup in shown]))
        else:
            self._print(shown)
            if not shown:
                self.stdout.write("There is no backup yet. To make one: python manage.py backup create")
            if others := len(every) - len(shown):
                self.stdout.write(f"{counted(others, 'backup')} of other databases: add --all to list them.")
        for complaint in catalogue.complaints:
            self.stderr.write(complaint)

    def do_verify(self, options: dict[str, Any]) -> None:
        """Verify a backup."""
        if bool(options["id"]) == options["latest"]:
            raise CommandError("Name one backup, or say --latest.", returncode=2)
        backup = newest_backup() if options["latest"] else find_backup(options["id"])
        if backup is None:
            raise CommandError("There is no backup yet: make one with `python manage.py backup create`.")
        proved = verify(backup, progress=self._progress(options))
        if options["json"]:
            self.stdout.write(json.dumps(as_json(proved)))
        else:
            self.stdout.write(f"{proved.id} is good. {proved.verified}")

    def do_prune(self, options: dict[str, Any]) -> None:
        """Remove backups that have had their time."""
        ended = prune(dry_run=options["dry_run"])
        if options["json"]:
            self.stdout.write(json.dumps([as_json(backup) for backup in ended]))
            return
        self._print(ended)
        number = counted(len(ended), "backup")
        self.stdout.write(f"Dry run: {number} would go." if options["dry_run"] else f"{number} removed.")

    def do_restore(self, options: dict[str, Any]) -> None:
        """Restore a backup, after its name was typed."""
        backup = find_backup(options["id"], trust=options["trust"])
        upto = read_upto(options["upto"]) if options["upto"] else None
        if not (options["yes"] or options["into"]):
            self._ask(backup, options)
        restored = restore(
            backup,
            actor=None,
            reason=options["reason"],
            into=options["into"],
            tables=tuple(options["table"]),
            upto=upto,
            trust=options["trust"],
            progress=self._progress(options),
        )
        if options["json"]:
            self.stdout.write(json.dumps(restored_as_json(restored)))
        else:
            self._tell(restored)

    def _ask(self, backup: Backup, options: dict[str, Any]) -> None:
        if options["json"]:
            raise CommandError("With --json nobody can be asked: add --yes.")
        chosen = f"the tables {', '.join(options['table'])}" if options["table"] else "everything"
        made = f"on {backup.created_at:%Y-%m-%d %H:%M} UTC"
        if options["upto"]:
            made = f"up to {in_words(read_upto(options['upto']))}"
        self.stdout.write(f"This replaces {chosen} by what was there {made}; what is there now is backed up first.")
        try:
            typed = input(f"Type {backup.id} to go ahead: ").strip()
        except EOFError as error:
            raise CommandError("This needs an answer: add --yes to go ahead.") from error
        if typed != backup.id:
            raise CommandError("That is not the backup's name: nothing was restored.")

    def _tell(self, restored: Restored) -> None:
        for table, count in sorted(restored.done.row_counts.items()):
            self.stdout.write(f"  {count:>11,}  {table}")
        self.stdout.write(f"Restored {restored.backup.id} into {restored.into}: {restored.rows:,} rows.")
        if restored.done.migrated:
            self.stdout.write(f"{len(restored.done.migrated):,} migrations ran, up to {restored.done.migrated[-1]}.")
        if restored.done.drift:
            self.stdout.write(
                f"{restored.done.drift:,} objects differ from their history: python manage.py audit_history shows them."
            )
        if restored.done.safety:
            self.stdout.write(f"To go back to before: python manage.py backup restore {restored.done.safety.id}")

    def _print(self, backups: list[Backup]) -> None:
        database = identity_of() if backups else ""
        for backup in backups:
            other = why_not_own(backup, database)
            sign = (
                "? foreign"
                if backup.foreign
                else "✓ verified"
                if backup.verified_at
                else "! not good"
                if backup.is_bad
                else "  not verified"
            )
            self.stdout.write(
                f"{backup.id:<36} {megabytes(backup.size_bytes):>12} {backup.rows:>11,} rows  {sign:<14} "
                f"{backup.actor or '-':<12} {backup.label or backup.reason}"
                f"{f'  [{other}]' if other else ''}"
            )

    def _progress(self, options: dict[str, Any]) -> Any:
        if options["json"] or not sys.stderr.isatty():
            return lambda step: None
        return lambda step: self.stderr.write(f"  {step} …", self.style.NOTICE)


def as_json(backup: Backup, *, foreign: str = "") -> dict[str, Any]:
    """Return what `--json` tells of a backup, and why it does not count for this database."""
    return {
        "id": backup.id,
        "path": str(backup.file),
        "sha256": backup.sha256,
        "size_bytes": backup.size_bytes,
        "rows": backup.rows,
        "verified": backup.verified_at is not None,
        "verified_at": backup.verified_at.isoformat() if backup.verified_at else None,
        "proof": backup.verified,
        "kind": backup.kind,
        "label": backup.label,
        "created_at": backup.created_at.isoformat(),
        "offsite": backup.offsite,
        "tables": backup.row_counts,
        "database": backup.database,
        "foreign": foreign,
    }


def object_as_json(backup: ObjectBackup) -> dict[str, Any]:
    """Return what `--json` tells of a backup of one object."""
    return {
        "id": backup.name,
        "path": backup.place,
        "sha256": backup.sha256,
        "size_bytes": backup.size,
        "rows": 1,
        "verified": False,
        "kind": OBJECT,
        "created_at": backup.made_at.isoformat(),
        "database": backup.database,
        "foreign": backup.why_not_own,
    }


def restored_as_json(restored: Restored) -> dict[str, Any]:
    """Return what `--json` tells of a restore: of the backup, and of what is there now."""
    return {
        **as_json(restored.backup),
        "rows": restored.rows,
        "tables": restored.done.row_counts,
        "into": restored.into,
        "safety": restored.done.safety.id if restored.done.safety else None,
        "objects": restored.done.objects,
        "drift": restored.done.drift,
        "migrated": list(restored.done.migrated),
        "changeset": restored.done.changeset,
        "duration_s": round(restored.seconds, 3),
    }
