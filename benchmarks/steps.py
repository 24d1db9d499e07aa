"""`python -m benchmarks.steps FOLDER user|plan|apply|open|confirm|work|delete [FILE|ROWS]`: a step in the admin.

`plan` and `apply` are what a person and the worker do together, in one process: log in, upload (or confirm), let the
worker work, open the page. `open`, `confirm` and `work` are the same work without pages, each on its own.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import django

UPLOAD = "/admin/airports/airport/import/"
FORM = {"source": "snapshot", "links": ["country", "city"], "reason": "benchmark", "format": ""}
WHO = {"username": "bench", "password": "a benchmark of ours"}


class WrongPage(Exception):
    """A page is not the one that the benchmark is about."""


class Phases:
    """How long each part of a step took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.since = time.perf_counter()

    def __call__(self, name: str) -> None:
        """Say that this part is over."""
        now = time.perf_counter()
        self.seconds[name] = round(now - self.since, 3)
        self.since = now


def log_in() -> Any:
    """Return a client that logged in with name and password."""
    from django.test import Client

    client = Client()
    if not client.login(**WHO):
        raise WrongPage("The user of the benchmark cannot log in.")
    return client


def work() -> None:
    """Let a worker do the waiting tasks."""
    from django.core.management import call_command

    call_command("db_worker", batch=True, reload=False, startup_delay=False, verbosity=0)


def get(client: Any, url: str) -> dict[str, Any]:
    """Open a page; returns its text, its size and the number of its queries."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        answer = client.get(url, follow=True)
    if answer.status_code != 200:
        raise WrongPage(f"{url} answers {answer.status_code}")
    return {"text": answer.content.decode(), "page_bytes": len(answer.content), "queries": len(queries)}


def token_on(page: str) -> str:
    """Return the token of the plan that a page offers to confirm."""
    return page.partition('name="seen" value="')[2].partition('"')[0]


def plan(phases: Phases, path: Path) -> dict[str, Any]:
    """Upload a file and open the page of its plan."""
    client = log_in()
    phases("log in")
    with path.open("rb") as file:
        answer = client.post(UPLOAD, {**FORM, "import_file": file})
    if answer.status_code != 302:
        raise WrongPage(f"The upload was refused: {answer.context['form'].errors}")
    phases("upload")
    work()
    phases("worker")
    page = get(client, answer.url)
    if latest_run().status != "planned" or "Import " not in page["text"]:
        raise WrongPage(f"{answer.url} shows no plan: {latest_run().error}")
    phases("plan page")
    return page


def apply(phases: Phases) -> dict[str, Any]:
    """Confirm the plan and open the page of its changeset."""
    client, run = log_in(), latest_run()
    phases("log in")
    seen = token_on(get(client, f"/admin/imports/importrun/{run.pk}/change/")["text"])
    phases("plan page again")
    client.post(
        f"/admin/imports/importrun/{run.pk}/confirm/",
        {"seen": seen, "reason": "benchmark", "start_at": ""},
    )
    phases("confirm")
    work()
    phases("worker")
    run = latest_run()
    if run.status != "applied":
        raise WrongPage(f"The run is {run.status}: {run.error}")
    page = get(client, f"/admin/changesets/changeset/{run.changeset_id}/change/")
    phases("changeset page")
    return page


def open_only(path: Path) -> None:
    """Open a run of a file, for a worker to plan."""
    from apps.imports.reading.sources import from_path
    from apps.imports.registry import spec_named
    from apps.imports.results import ImportOptions
    from apps.imports.runs.opening import open_run
    from apps.imports.tasks import plan_in_background

    spec = spec_named("ourairports")
    run = open_run(from_path(path), spec=spec, options=ImportOptions(), actor=user(), reason="benchmark")
    plan_in_background.enqueue(run.pk)


def confirm_only() -> None:
    """Confirm the plan, for a worker to apply."""
    from apps.imports.runs.confirming import confirm_run, mark_of
    from apps.imports.tasks import apply_in_background

    run = latest_run()
    apply_in_background.enqueue(confirm_run(run, actor=user(), seen=mark_of(run)).pk)


def latest_run() -> Any:
    """Return the newest run."""
    from apps.imports.models import ImportRun

    return ImportRun.objects.latest("pk")


def user() -> Any:
    """Return the user of the benchmark, made if need be."""
    from django.contrib.auth import get_user_model

    users = get_user_model().objects
    user = users.filter(username=WHO["username"]).first()
    return user or users.create_superuser(**WHO)


def delete(rows: int) -> None:
    """Delete so many airports, one in twenty, as a bulk action does."""
    from apps.airports.models import Airport
    from apps.changesets.context import changeset

    keys = list(Airport.objects.values_list("pk", flat=True))[:: max(2, min(20, Airport.objects.count() // rows))]
    with changeset(kind="delete", actor=user(), reason="a benchmark deletes"):
        Airport.objects.filter(pk__in=keys[:rows]).delete()


def work_only() -> dict[str, Any]:
    """Let a worker do the waiting tasks; return the outcome of the newest run."""
    work()
    run = latest_run()
    if run.status not in ("planned", "applied"):
        raise WrongPage(f"The run is {run.status}: {run.error}")
    return {"status": run.status, "counts": run.counts}


def main() -> None:
    """Do the step that the command line names, and print the figures as JSON."""
    folder, step, *files = sys.argv[1:]
    os.environ["BENCHMARK_FOLDER"] = folder
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.console_settings"
    phases = Phases()
    django.setup()
    phases("start")
    steps = {
        "user": lambda: user() and None,
        "plan": lambda: plan(phases, Path(files[0])),
        "apply": lambda: apply(phases),
        "open": lambda: open_only(Path(files[0])),
        "confirm": confirm_only,
        "work": work_only,
        "delete": lambda: delete(int(files[0])),
    }
    done = steps[step]() or {}
    done.pop("text", None)
    print(json.dumps({"seconds": round(sum(phases.seconds.values()), 3), "phases": phases.seconds, **done}))


if __name__ == "__main__":
    main()
