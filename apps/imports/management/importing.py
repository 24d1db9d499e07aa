"""What commands that import have in common: plan, apply unless it is a dry run, and say what happened."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from apps.changesets.errors import ChangesetError
from apps.changesets.models import Changeset
from apps.imports.errors import BeyondLimits, ImportFailure, OptionsContradict
from apps.imports.management.report import lines_for_people, progress_on
from apps.imports.plan.apply import apply_import
from apps.imports.plan.plan import ImportPlan
from apps.imports.results import Progress

JSON_KEYS = (
    *("total", "created", "updated", "renamed", "unchanged", "skipped", "refused", "kept", "missing"),
    *("country_links", "countries_created", "city_links", "cities_created"),
)


@contextmanager
def one_sentence() -> Iterator[None]:
    """Within, an import that fails becomes a CommandError of one sentence."""
    try:
        yield
    except OptionsContradict as error:
        raise CommandError(str(error), returncode=2) from error
    except BeyondLimits as error:
        raise CommandError(f"{error} If the file is right, --past-limits with a --reason imports it.") from error
    except (ImportFailure, ChangesetError) as error:
        raise CommandError(str(error)) from error
    except DatabaseError as error:
        said = " ".join(str(error).split())
        raise CommandError(f"Nothing was imported, the database says: {said}. Has manage.py migrate run?") from error


class ImportingCommand(BaseCommand):
    """Base of the commands that import a file."""

    def import_planned(self, make_plan: Callable[[Progress | None], ImportPlan], options: dict[str, Any]) -> None:
        """Make the plan, apply it unless it is a dry run, and print; raises CommandError in one sentence."""
        started = time.monotonic()
        progress = progress_on(sys.stderr)
        opened = None
        try:
            with one_sentence():
                plan = make_plan(progress)
                if options["dry_run"]:
                    plan.discard()
                else:
                    opened = apply_import(plan, actor=None, reason=options["reason"])
        finally:
            if progress:
                progress("done", 0)
        self.tell(plan, opened, options, duration=time.monotonic() - started)

    def tell(
        self, plan: ImportPlan, opened: Changeset | None, options: dict[str, Any], *, duration: float, **more: int
    ) -> None:
        """Print what happened, for a person or as JSON; `more` numbers are for JSON only."""
        counts = opened.summary["counts"] if opened else plan.counts.as_dict()
        if options["json"]:
            numbers = {key: counts.get(key, 0) for key in JSON_KEYS}
            result = {"changeset": opened.pk if opened else None, **numbers, "duration_s": round(duration, 3), **more}
            self.stdout.write(json.dumps(result))
            return
        for line in lines_for_people(plan, counts, opened, dry_run=options["dry_run"]):
            self.stdout.write(line)
