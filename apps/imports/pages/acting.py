"""What people do to a run besides confirming it: decide about rows, plan again, cancel, start again; by POST only."""

from collections.abc import Callable
from dataclasses import replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from apps.changesets.acts.actor import actor_of
from apps.changesets.acts.methods import DOES, turned_away
from apps.changesets.text import counted, plural, whole_number
from apps.imports.errors import ImportFailure, RunRefused
from apps.imports.mapping import headers
from apps.imports.mapping.layout import missing_columns
from apps.imports.models import Decision, ImportRun, RunStatus
from apps.imports.pages.addresses import run_url
from apps.imports.pages.forms import PlanAgainForm
from apps.imports.pages.run import back_to, read_part
from apps.imports.registry import spec_named
from apps.imports.results import ImportOptions
from apps.imports.runs.confirming import cancel_run, may_decide, start_again
from apps.imports.runs.opening import set_options
from apps.imports.runs.rows import Bucket, decide
from apps.imports.tasks import start_planning

MOST_TICKED = 1000
# What becomes of one row, and of several, by a decision.
SAID = {
    Decision.TAKE: ("takes the file's value", "take the file's values"),
    Decision.KEEP: ("keeps our value", "keep our values"),
    Decision.ID: ("goes by its first key", "go by their first key"),
    Decision.IDENT: ("goes by its other keys", "go by their other keys"),
    Decision.LEAVE: ("is left alone", "are left alone"),
    Decision.NONE: ("is as planned again", "are as planned again"),
}


def act(request: HttpRequest, run: ImportRun, do: Callable[[HttpRequest, ImportRun], HttpResponse]) -> HttpResponse:
    """Act on a run by POST, with permission; its page shows a refusal."""
    if (refused := turned_away(request, DOES, may=may_decide(request.user, run))) is not None:
        return refused
    try:
        return do(request, run)
    except ImportFailure as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(run_url(run))


def decide_rows(request: HttpRequest, run: ImportRun) -> HttpResponse:
    """Record the decision about the ticked rows, or about all that the filter of the page leaves."""
    numbers = map(whole_number, request.POST.getlist("tick")[:MOST_TICKED])
    ticked = [number for number in numbers if number is not None]
    every = "every" in request.POST
    try:
        decision = Decision(request.POST.get("decision", ""))
    except ValueError:
        raise RunRefused("That is no decision: choose one of the buttons below the rows.") from None
    if not ticked and not every:
        raise RunRefused("No row was ticked: tick those that you decide about.")
    if every and request.POST["every"] != (run.summary or {}).get("planned_at"):
        raise RunRefused("The plan was made again since then: look at its rows again. Nothing was decided.")
    chosen = read_part(request.POST, Bucket.KEPT).wanted if every else ticked
    number = decide(run, chosen, decision, actor=actor_of(request))
    if every and not number:
        raise RunRefused("None of these rows needs such a decision.")
    if number:
        messages.success(request, f"{counted(number, 'row')} {plural(number, *SAID[decision])}.")
    if not every and (undecided := len(set(ticked)) - number):
        have = plural(undecided, "row has", "rows have")
        messages.warning(request, f"{undecided:,} ticked {have} nothing to decide like this.")
    return HttpResponseRedirect(back_to(request, run))


def plan_with_options(request: HttpRequest, run: ImportRun) -> HttpResponse:
    """Plan the same file again with other columns or options."""
    spec, options = spec_named(run.spec), ImportOptions.from_json(run.options)
    everything = headers.columns_taken(run.header, spec, replace(options, columns=None))
    form = PlanAgainForm(request.POST, spec=spec, options=options, taken=everything)
    if not form.is_valid():
        raise RunRefused(next(iter(form.errors.values()))[0])
    chosen = form.options(options)
    taken = headers.columns_taken(run.header, spec, replace(chosen, columns=None))
    if lacking := missing_columns(taken, spec, corrections=chosen.corrections, match=chosen.match):
        raise RunRefused(
            f"The file has no column {', '.join(lacking)}, which a snapshot needs: "
            "say which column is which, or take it as corrections by hand."
        )
    start_planning(set_options(run, chosen, actor=actor_of(request)))
    return HttpResponseRedirect(run_url(run))


def cancel(request: HttpRequest, run: ImportRun) -> HttpResponse:
    """Cancel a run that has not ended; one whose worker has gone fails."""
    cancel_run(run, actor=actor_of(request))
    run.refresh_from_db()
    if run.status == RunStatus.CANCELLED:
        messages.success(request, "Cancelled: nothing was written.")
    elif run.status == RunStatus.FAILED:
        messages.warning(request, "Its worker had stopped, so it failed: nothing was written.")
    else:
        messages.info(request, "It is being cancelled.")
    return HttpResponseRedirect(run_url(run))


def begin_again(request: HttpRequest, run: ImportRun) -> HttpResponse:
    """Start a failed or cancelled run again from its kept file."""
    start_planning(start_again(run, actor=actor_of(request)))
    return HttpResponseRedirect(run_url(run))
