"""A run in a list: its state with a sign, and the next step."""

from django.utils.html import format_html, format_html_join

from apps.changesets.pages import links, show
from apps.imports.models import ImportRun, RunStatus
from apps.imports.pages.addresses import run_url

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
