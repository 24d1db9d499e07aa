"""What commands that import have in common: a run unless it is a dry run, and saying what happened."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from apps.changesets.errors import ChangesetError
from apps.imports.errors import BeyondLimits, ImportFailure, OptionsContradict
from apps.imports.management.report import lines_for_people, progress_on
from apps.imports.runs.engine import Finished, Request, import_now, plan_only

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
        sentence = " ".join(str(error).split())
        raise CommandError(
            f"Nothing was imported, the database says: {sentence}. Has manage.py migrate run?"
        ) from error


class ImportingCommand(BaseCommand):
    """Base of the commands that import a file."""

    def import_requested(self, request: Request, options: dict[str, Any]) -> Finished:
        """Import what was asked for, or only plan it in a dry run, and print; raises CommandError in one sentence."""
        progress = progress_on(sys.stderr)
        work = plan_only if options["dry_run"] else import_now
        try:
            with one_sentence():
                finished = work(request, progress=progress)
        finally:
            if progress:
                progress("done", 0)
        if options["json"]:
            self.stdout.write(json.dumps({**self.as_json(finished), "run": finished.run.pk if finished.run else None}))
        else:
            for line in lines_for_people(finished, dry_run=options["dry_run"]):
                self.stdout.write(line)
        return finished

    def as_json(self, finished: Finished) -> dict[str, Any]:
        """Return what is printed as JSON."""
        numbers = {key: finished.counts.get(key, 0) for key in JSON_KEYS}
        changeset = finished.changeset.pk if finished.changeset else None
        return {"changeset": changeset, **numbers, "duration_s": round(finished.duration, 3)}
