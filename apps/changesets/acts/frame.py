"""The flow of every act: permission, method, plan, reason, apply once, result.

What the act writes is asked twice: of the plan that is shown, and of what was recorded, before it is committed.
"""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from apps.changesets.acts.forms import ReasonForm, posted_reason
from apps.changesets.acts.methods import show_page, turned_away
from apps.changesets.acts.planned import Message, Outcome, Page, PlannedAct
from apps.changesets.acts.repeats import taking_turns
from apps.changesets.acts.second import asked_by_another, carry_out, is_large, why_another
from apps.changesets.acts.tokens import make_token, read_token
from apps.changesets.errors import Busy, NotPermitted
from apps.changesets.processes.locking import busy_in_words
from apps.changesets.rights import require, within_rights

# What the hidden field of a confirm page is called.
SEEN = "seen"
DONE_ALREADY = Message("That was done already: this is what it did.", messages.INFO)


def answer(act: PlannedAct[Any]) -> HttpResponse:
    """Answer a request about an act: by its plan or, once that is confirmed, by doing it."""
    if (refused := turned_away(act.request, act.methods, may=act.may())) is not None:
        return refused
    form, refusal, status = _unbound(act), "", 200
    if act.is_confirmed():
        if act.wants_reason():
            form = ReasonForm({"reason": posted_reason(act.request)})
        done = _attempt(act, form)
        if isinstance(done, HttpResponse):
            return done
        if done is not None:
            refusal, status = act.sentence_of(done), done.status if isinstance(done, Busy | NotPermitted) else 200
        if (elsewhere := act.show_elsewhere(refusal, form)) is not None:
            return elsewhere
    try:
        return _show(act, form, refusal, status=status)
    except Busy:
        raise  # Its page offers to send the same again.
    except act.refusals as no_plan:
        page = act.without_plan(no_plan)
        if isinstance(page, HttpResponse):
            return page
        status = getattr(no_plan, "status", 200)
        return _render(act, page, {"refusal": str(no_plan), "form": None, "plan": None}, status=status)


def offer(act: PlannedAct[Any]) -> dict[str, Any]:
    """Return what another page needs to offer the act: its words, the form of the reason, the token."""
    plan = act.plan()
    return {"page": act.page(plan), "form": _unbound(act), "token": _token(act, plan)}


def lead(request: HttpRequest, outcome: Outcome) -> HttpResponse:
    """Show the messages of an outcome, and redirect to its address."""
    for message in outcome.messages:
        messages.add_message(request, message.level, message.sentence)
    return HttpResponseRedirect(outcome.url)


def _attempt(act: PlannedAct[Any], form: ReasonForm) -> HttpResponse | Exception | None:
    """Apply the act and redirect to its outcome; or return the refusal, None where the forms say what is missing."""
    token, seen = act.request.POST.get(SEEN, ""), None
    try:
        if token or act.needs_token:
            seen = read_token(token, user_id=act.actor.pk, act=act.name, subject=act.subject(), noun=act.noun)
        with taking_turns(token) as turn:
            if turn.led_to:
                return lead(act.request, Outcome(turn.led_to, (DONE_ALREADY,)))
            # Both are asked, so that the page tells of both.
            if not all([not form.is_bound or form.is_valid(), act.is_complete()]):
                return None
            with busy_in_words(), within_rights(act.actor):
                outcome = carry_out(act, reason=posted_reason(act.request), seen=seen)
            if outcome.is_done:
                turn.done(outcome.url)
            return lead(act.request, outcome)
    except act.refusals as refusal:
        return refusal


def _show(act: PlannedAct[Any], form: ReasonForm, refusal: str, *, status: int) -> HttpResponse:
    plan = act.plan()
    require(act.actor, act.needs(plan))
    shown = {"plan": plan, "form": form, "refusal": refusal, "token": _token(act, plan)}
    page = act.page(plan)
    if page.verb and is_large(act, plan):
        page = _for_two(act, plan, page, form)
    return _render(act, page, shown, status=status)


def _for_two(act: PlannedAct[Any], plan: Any, page: Page, form: ReasonForm) -> Page:
    """Return the page of what a second person has to confirm, as who asks or as who confirms sees it."""
    if (proposal := asked_by_another(act, plan)) is not None:
        form.initial["reason"] = form.initial.get("reason") or proposal.reason
        return replace(page, context={**page.context, "proposal": proposal})
    verb, note = f"Ask to {page.verb[0].lower()}{page.verb[1:]}", "Nothing is changed before somebody else confirms it."
    return replace(page, verb=verb, note=note, danger=False, context={**page.context, "needs_another": why_another()})


def _unbound(act: PlannedAct[Any]) -> ReasonForm:
    return ReasonForm(initial={"reason": act.proposed_reason()})


def _token(act: PlannedAct[Any], plan: Any) -> str:
    return make_token(act.state(plan), user_id=act.actor.pk, act=act.name, subject=act.subject())


def _render(act: PlannedAct[Any], page: Page, shown: dict[str, Any], *, status: int = 200) -> HttpResponse:
    context = {"title": page.title, "act": act, "page": page, **shown, **page.context}
    return show_page(act.model_admin, act.request, act.template, context, status=status)
