"""A run in a list: its state with a sign, and the next step; and how far it is, for the page that watches it."""

import time
from typing import Any

from django.utils import timezone
from django.utils.html import format_html, format_html_join

from apps.changesets.pages import links, show
from apps.changesets.pages.links import changeset_url
from apps.changesets.pages.watching import GONE, NO_WORKER, PATIENCE_SECONDS, WORKER_GONE, shown
from apps.changesets.processes.watched import progress_of
from apps.imports.models import BUSY, ImportRun, RunStatus
from apps.imports.pages.addresses import run_url
from apps.imports.runs.lease import is_dead

# sign, colour: together with the word of the state.
SIGNS = {
    RunStatus.UPLOADED: ("…", "kept"),
    RunStatus.PLANNING: ("…", "kept"),
    RunStatus.PLANNED: ("?", "changed"),
    RunStatus.APPROVED: ("…", "changed"),
    RunStatus.RUNNING: ("…", "changed"),
    RunStatus.APPLIED: ("✓", "created"),
    RunStatus.FAILED: ("×", "refused"),  # noqa: RUF001 - the sign of refusal
    RunStatus.CANCELLED: ("−", "kept"),  # noqa: RUF001 - the minus sign
}
# What a list tells of a plan: its sign, and the name of the count.
COUNTS = (("created", "created"), ("changed", "updated"), ("kept", "kept"), ("refused", "refused"))
STEPS = {
    RunStatus.UPLOADED: "Watch",
    RunStatus.PLANNING: "Watch",
    RunStatus.PLANNED: "Review",
    RunStatus.APPROVED: "Watch",
    RunStatus.RUNNING: "Watch",
    RunStatus.FAILED: "See why",
    RunStatus.CANCELLED: "Look",
}


def state(run: ImportRun) -> str:
    """Return the state of a run with its sign."""
    sign, colour = SIGNS[RunStatus(run.status)]
    return format_html('<span class="op op-{}"><b>{}</b> {}</span>', colour, sign, run.get_status_display())


def counts(run: ImportRun) -> str:
    """Return what the plan of a run does, in signs; nothing where there is none yet."""
    numbers = run.counts or {}
    signs = [(show.sign(sign, numbers[name]),) for sign, name in COUNTS if numbers.get(name)]
    return format_html_join(" ", "{}", signs) or (show.NOTHING if run.counts else "")


def next_step(run: ImportRun) -> str:
    """Return the link to what a person does next with a run."""
    if run.status == RunStatus.APPLIED and run.changeset is not None:
        address = links.changeset_url(run.changeset.pk)
        return format_html('<a href="{}" aria-label="Changes of {}">{}</a>', address, run, run.changeset)
    word = STEPS.get(RunStatus(run.status), "Look")
    return format_html('<a href="{}" aria-label="{} {}">{}</a>', run_url(run), word, run, word)


WATCHED = (RunStatus.UPLOADED, RunStatus.PLANNING, RunStatus.APPROVED, RunStatus.RUNNING)


def state_of(run: ImportRun, *, waits_for_mapping: bool = False) -> dict[str, Any]:
    """Return how far a run is, ready to be shown; nothing is done about one whose worker has gone."""
    snapshot = progress_of(run.pk) if run.status in BUSY else None
    gone = run.status in BUSY and is_dead(run)
    return {
        # A page opens itself anew when this changes.
        "status": GONE if gone else run.status,
        **shown(snapshot, waiting=_waiting_words(run)),
        # Where the page leads when the run is applied: to what the import did.
        "next": changeset_url(run.changeset_id) if run.status == RunStatus.APPLIED and run.changeset_id else "",
        "warning": WORKER_GONE if gone else "" if waits_for_mapping else _warning(run),
    }


_WAITING: dict[str, str] = {RunStatus.APPROVED: "Waiting to start", RunStatus.PLANNING: "Planning"}


def _waiting_words(run: ImportRun) -> str:
    if run.status == RunStatus.UPLOADED:
        return "Waiting to be planned"
    if run.status == RunStatus.APPROVED and run.start_at and run.start_at > timezone.now():
        at = timezone.localtime(run.start_at)
        return f"Confirmed, to start on {at:%d %B at %H:%M} ({at.tzname()})"
    return _WAITING.get(run.status, "Running")


def _warning(run: ImportRun) -> str:
    """Return a warning where a worker should have begun by now."""
    if run.status not in (RunStatus.UPLOADED, RunStatus.APPROVED):
        return ""
    since = run.confirmed_at if run.status == RunStatus.APPROVED else run.created_at
    since = max(filter(None, (since, run.start_at)), default=run.created_at)
    return NO_WORKER if time.time() - since.timestamp() > PATIENCE_SECONDS else ""
