"""See what was changed by whom, and take it back."""

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.core.management.base import CommandError

from apps.changesets.history.counts import Counts, counts_of_many, words_for
from apps.changesets.history.cursors import changesets_after, cursor_now, require_cursor
from apps.changesets.history.diff import Change, changes_of, changes_since
from apps.changesets.history.download import as_csv, as_json
from apps.changesets.history.pruning import refuse_pruned
from apps.changesets.management.reverting import RevertingCommand
from apps.changesets.management.sentences import whole
from apps.changesets.models import Changeset
from apps.changesets.revert import Scope
from apps.changesets.text import whole_number
from apps.changesets.tracking import Tracked, tracked_by_name, tracked_models


class Command(RevertingCommand):
    help = "See what was changed by whom, and take it back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        todo = parser.add_subparsers(dest="todo", required=True)
        listing = todo.add_parser("list", help="the newest changesets")
        listing.add_argument("--limit", type=whole, default=50, help="how many (default 50)")
        listing.add_argument("--json", action="store_true", help="print a JSON array")
        show = todo.add_parser("show", help="one changeset: who, why, when, how much")
        show.add_argument("id", type=whole)
        show.add_argument("--json", action="store_true", help="print one JSON object")
        diff = todo.add_parser("diff", help="each object it touched, before and after")
        diff.add_argument("id", type=whole)
        diff.add_argument("--format", choices=["text", "csv", "json"], default="text")
        diff.add_argument("--json", dest="format", action="store_const", const="json", help="as --format json")
        reverting = todo.add_parser("revert", help="take it back, whole or in part; asks nothing")
        reverting.add_argument("id", type=whole)
        reverting.add_argument("--field", action="append", default=[], metavar="F", help="only this field (repeatable)")
        reverting.add_argument("--model", metavar="M", help=f"only this model: {', '.join(_names())}")
        reverting.add_argument("--pk", action="append", default=[], metavar="K", help="only this key (repeatable)")
        self.add_revert_arguments(reverting)
        since = todo.add_parser("since", help="the net change of all later changesets, each object once")
        since.add_argument("id", metavar="CURSOR", help="a changeset's number, or the cursor of the answer before")
        since.add_argument("--model", metavar="M", help=f"only this model: {', '.join(_names())}")
        since.add_argument(
            "--json",
            action="store_true",
            help="print one JSON object: `changes` with values as stored, `cursor`",
        )

    def writes(self, options: dict[str, Any]) -> bool:
        return bool(options["todo"] == "revert")

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"do_{options['todo']}")(options)

    def do_list(self, options: dict[str, Any]) -> None:
        """Print the newest changesets, newest first."""
        changesets = list(Changeset.objects.all()[: options["limit"]])
        counts = counts_of_many(changesets)
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(changeset, counts[changeset.pk]) for changeset in changesets]))
            return
        for changeset in changesets:
            when = changeset.created_at.strftime("%Y-%m-%d %H:%M")
            self.stdout.write(
                f"#{changeset.pk:<6} {when}  {changeset.kind:<11} {changeset.status:<15} "
                f"{changeset.actor_name or '-':<16} {words_for(counts[changeset.pk]):<30} {changeset.reason}"
            )
        if not changesets:
            self.stdout.write("Nothing was changed yet.")

    def do_show(self, options: dict[str, Any]) -> None:
        """Print one changeset's head."""
        changeset = self._find(options["id"])
        counts = counts_of_many([changeset])[changeset.pk]
        described = _as_json(changeset, counts)
        if options["json"]:
            self.stdout.write(json.dumps(described))
            return
        pruned = ", its history pruned" if described["pruned"] else ""
        self.stdout.write(f"{changeset} ({changeset.get_status_display().lower()}{pruned})")
        for name in ("created_at", "actor", "reason", "source", "error"):
            if described[name]:
                self.stdout.write(f"  {name.replace('_', ' '):<11} {described[name]}")
        for label, numbers in counts.items():
            self.stdout.write(f"  {label:<17} {words_for({label: numbers})}")

    def do_diff(self, options: dict[str, Any]) -> None:
        """Print each object that the changeset touched."""
        changeset = self._find(options["id"])
        if changeset.pruned_at is not None:
            raise CommandError(f"{changeset}'s history was pruned: `changesets show {changeset.pk}` has its counts.")
        changes = changes_of(changeset)
        if options["format"] == "text":
            self._print_changes(changes)
        else:
            self._write_all(as_csv(changes) if options["format"] == "csv" else as_json(changes))

    def do_since(self, options: dict[str, Any]) -> None:
        """Print the net changes after a changeset or a cursor, for those who copied the tables there."""
        tracked = _model_of(options["model"])
        label = tracked.label if tracked else ""
        number = whole_number(options["id"].removeprefix("#"))
        first = self._find(number) if number is not None else None
        start = first.pk if first else require_cursor(options["id"], model=label)
        refuse_pruned(changesets_after(start))
        until = replace(cursor_now(), model=label)
        changes = changes_since(start, until=until, model=label or None)
        if options["json"]:
            self.stdout.write('{"changes": ', ending="")
            self._write_all(as_json(changes, raw=True))
            self.stdout.write(f', "cursor": {json.dumps(until.text)}}}')
        elif not self._print_changes(changes):
            self.stdout.write(f"Nothing changed since {first or 'then'}.")

    def _print_changes(self, changes: Iterable[Change]) -> int:
        printed = 0
        for printed, change in enumerate(changes, start=1):  # noqa: B007 - counts what it prints
            was = f" (was {change.old_pk})" if change.operation == "renamed" else ""
            self.stdout.write(f"{change.operation:<8} {change.model} {change.pk}{was} {change.label}")
            if change.operation in ("changed", "renamed"):
                for field in change.fields:
                    self.stdout.write(f"           {field.label}: {field.old} -> {field.new}")
        return printed

    def _write_all(self, parts: Iterable[str]) -> None:
        for part in parts:
            self.stdout.write(part, ending="")

    def do_revert(self, options: dict[str, Any]) -> None:
        """Take one changeset back."""
        changeset = self._find(options["id"])
        self.revert_these([changeset], options, scope=_scope(options), ask=False)

    def _find(self, pk: int) -> Changeset:
        try:
            return Changeset.objects.get(pk=pk)
        except Changeset.DoesNotExist as error:
            raise CommandError(
                f"There is no changeset #{pk}: `python manage.py changesets list` shows them."
            ) from error


def _scope(options: dict[str, Any]) -> Scope:
    """Return the part to revert; raises CommandError for a model or field that does not exist."""
    tracked = _model_of(options["model"])
    chosen = (tracked,) if tracked else tracked_models()
    known = {name for tracked in chosen for f in tracked.model._meta.concrete_fields for name in (f.name, f.column)}
    for field in options["field"]:
        if field not in known:
            raise CommandError(f"There is no field {field!r} in {', '.join(t.name for t in chosen)}.")
    return Scope(
        models=tuple(tracked.label for tracked in chosen) if options["model"] else (),
        pks=tuple(options["pk"]),
        fields=tuple(options["field"]),
    )


def _model_of(name: str | None) -> Tracked | None:
    """Return the tracked model called so, None for no name; raises CommandError for one that does not exist."""
    if not name:
        return None
    tracked = tracked_by_name(name)
    if tracked is None:
        raise CommandError(f"There is no model {name!r}: choose {', '.join(_names())}.")
    return tracked


def _names() -> list[str]:
    return [tracked.name for tracked in tracked_models()]


def _as_json(changeset: Changeset, counts: Counts) -> dict[str, Any]:
    return {
        "id": changeset.pk,
        "kind": changeset.kind,
        "actor": changeset.actor_name or ("direct" if changeset.kind == "direct" else None),
        "reason": changeset.reason,
        "created_at": changeset.created_at.isoformat(),
        "counts": counts,
        "status": changeset.status,
        "pruned": changeset.pruned_at is not None,
        "source": changeset.source_name,
        "source_title": changeset.source_title,
        "request_id": changeset.request_id,
        "error": changeset.error,
    }
