"""A second person for what is about many objects: one asks, another one who may do it looks at it and confirms it.

Above how many is ACTS_SECOND_PERSON_ABOVE. It is asked when an act is confirmed, of its plan as it is then.
"""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from apps.changesets.acts.planned import Message, Outcome, PlannedAct
from apps.changesets.context import asked_for_by
from apps.changesets.errors import PlanMoved
from apps.changesets.models import Proposal, Visitor
from apps.changesets.plans.storing import KEPT_FOR, key_of
from apps.changesets.revert.apart import is_under_way
from apps.changesets.rights import may_view, require
from apps.changesets.text import counted
from apps.changesets.tracking import tracked_by_name

ON_THEIR_PAGE = "It is on their first page now."


def carry_out(act: PlannedAct[Any], *, reason: str, seen: Any) -> Outcome:
    """Apply a confirmed act; where it is about so many objects that another person has to confirm it, ask for that.

    Where another person asked for the same it is applied, and the changeset has the names of both.
    """
    plan = act.plan_to_confirm(seen) if settings.ACTS_SECOND_PERSON_ABOVE is not None else None
    if plan is None or not is_large(act, plan):
        return act.apply(reason=reason, seen=seen)
    key = key_of(act.name, act.same(plan))
    if (proposal := _of_another(key, act.actor)) is None:
        require(act.actor, act.needs(plan))
        return _ask(act, plan, key, reason)
    if is_under_way(key):
        raise PlanMoved("a worker is busy with it already")
    with asked_for_by(proposal.asked_by, proposal.asked_by_name):
        outcome = act.apply(reason=reason, seen=seen)
    # Once it is done, who else asked for the same need not any more; a worker that it is left to may fail.
    if not outcome.is_left:
        Proposal.objects.filter(key=key).delete()
    return outcome


def is_large(act: PlannedAct[Any], plan: Any) -> bool:
    """Whether the plan needs a second person."""
    above = settings.ACTS_SECOND_PERSON_ABOVE
    return above is not None and act.size(plan) > above


def asked_by_another(act: PlannedAct[Any], plan: Any) -> Proposal | None:
    """Return what another person asked for that is the same as this plan."""
    return _of_another(key_of(act.name, act.same(plan)), act.actor)


def why_another() -> str:
    """Return the sentence that a second person has to confirm this."""
    objects = counted(settings.ACTS_SECOND_PERSON_ABOVE or 0, "object")
    return f"More than {objects} would change: somebody else who may do this has to confirm it."


def open_proposals() -> QuerySet[Proposal]:
    """Return what was asked for within a day; nothing where no second person is needed any more."""
    if settings.ACTS_SECOND_PERSON_ABOVE is None:
        return Proposal.objects.none()
    recent = Proposal.objects.using("default").filter(made_at__gte=timezone.now() - KEPT_FOR, asked_by__is_active=True)
    return recent.select_related("asked_by")


def waiting_for(user: User) -> list[Proposal]:
    """Return what others asked for and this person may confirm, oldest first."""
    proposals = open_proposals().exclude(asked_by=user).order_by("pk")
    return [proposal for proposal in proposals if may_confirm(user, proposal)]


def may_confirm(user: Visitor, proposal: Proposal) -> bool:
    """Whether the person may do what was asked for, and see what it is about."""
    tracked = tracked_by_name(proposal.model)
    sees = may_view(user, tracked.model) if tracked else user.has_perm("changesets.view_changeset")
    return sees and user.has_perm(proposal.permission)


def proposal_url(pk: int) -> str:
    """Return the address of the page of what was asked for."""
    return reverse("admin:changesets_changeset_proposal", args=[pk])


def _of_another(key: str, user: User) -> Proposal | None:
    return open_proposals().filter(key=key).exclude(asked_by=user).order_by("pk").first()


def _ask(act: PlannedAct[Any], plan: Any, key: str, reason: str) -> Outcome:
    Proposal.objects.filter(made_at__lt=timezone.now() - KEPT_FOR).delete()
    proposal, _new = Proposal.objects.update_or_create(
        asked_by=act.actor,
        key=key,
        defaults={
            "act": act.name,
            "asked_by_name": act.actor.get_username(),
            "reason": reason,
            "size": act.size(plan),
            "made_at": timezone.now(),
            **act.way(plan),
        },
    )
    said = Message(f"{why_another()} {ON_THEIR_PAGE}", messages.WARNING)
    return Outcome(proposal_url(proposal.pk), (said,), is_done=False)
