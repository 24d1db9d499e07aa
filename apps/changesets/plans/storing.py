"""Finding, making and forgetting stored plans."""

import json
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from apps.changesets.errors import PlanMoved
from apps.changesets.models import Proposal, StoredPlan, StoredRow
from apps.changesets.plans.rows import PARTLY, all_rows, start_passing_rows
from apps.changesets.sql import Sql
from apps.changesets.tracking import tracked_models

KEPT_FOR = timedelta(days=1)
# Writes the rows of a plan where they belong.
Fill = Callable[[StoredPlan], None]


def plan_of(actor: User, act: str, about: Any, asked: Any) -> StoredPlan:
    """Return the person's plan of an act; one that was not made yet is not saved."""
    key = key_of(act, about, asked)
    found: StoredPlan | None = StoredPlan.objects.using("default").filter(actor=actor, act=act, key=key).first()
    return found or StoredPlan(actor=actor, act=act, key=key, about=about, asked=asked)


def key_of(*of: Any) -> str:
    """Return what tells an act from others; another version of the console, with other tables, has another one."""
    return sha256(json.dumps([*of, _schema()], sort_keys=True).encode()).hexdigest()[:40]


def plan_numbered(pk: int, *, actor: User, act: str, about: Any = None) -> StoredPlan:
    """Return a plan of the person's by its number, or one of what somebody asks others to confirm.

    Raises PlanMoved where it is gone, or of something else.
    """
    found: StoredPlan | None = StoredPlan.objects.using("default").filter(pk=pk, act=act).first()
    shared = Proposal.objects.using("default").filter(stored_plan=pk)
    is_theirs = found is not None and (found.actor_id == actor.pk or shared.exists())
    if found is None or not is_theirs or about not in (None, found.about):
        raise PlanMoved("it was made more than a day ago, or for somebody else")
    return found


def ask(plan: StoredPlan) -> StoredPlan:
    """Save what is asked for, to be planned when it is shown, and forget plans that are older than a day."""
    StoredPlan.objects.using("default").filter(made_at__lt=timezone.now() - KEPT_FOR).delete()
    if plan.pk is None:
        unmade = {"about": plan.about, "asked": plan.asked}
        plan, _ = StoredPlan.objects.using("default").get_or_create(
            actor=plan.actor, act=plan.act, key=plan.key, defaults=unmade
        )
    return plan


def store(plan: StoredPlan, *, state: str, seen: Any, head: Any, fill: Fill, address: str = "") -> StoredPlan:
    """Write the numbers of a plan, and its rows by `fill`, in place of what was stored of it.

    `address` is the page that shows it, where one does.
    """
    with transaction.atomic():
        plan = ask(plan)
        # The lock keeps rows of two showings of the same plan apart.
        plan = StoredPlan.objects.using("default").select_for_update(of=("self",)).get(pk=plan.pk)
        StoredRow.objects.filter(plan=plan)._raw_delete("default")
        plan.address = address or plan.address
        _fill(plan, state=state, seen=seen, head=head, fill=fill)
        plan.save()
    return plan


def show_once(plan: StoredPlan, *, state: str, seen: Any, head: Any, fill: Fill) -> StoredPlan:
    """Return the plan with these numbers, and rows that are there for this request alone; nothing is stored."""
    start_passing_rows(Sql())
    plan.passing = True
    _fill(plan, state=state, seen=seen, head=head, fill=fill)
    return plan


def _fill(plan: StoredPlan, *, state: str, seen: Any, head: Any, fill: Fill) -> None:
    plan.state, plan.seen, plan.made_at = state, seen, timezone.now()
    fill(plan)
    plan.head = {**head, "by_model": _numbers(plan)}


def _numbers(plan: StoredPlan) -> dict[str, dict[str, int]]:
    """Return how many rows each bucket has, by model."""
    numbers: dict[str, dict[str, int]] = {}
    counts = all_rows(plan).order_by().values_list("model", "bucket", "partly")
    for model, bucket, partly, number in counts.annotate(number=Count("id")):
        of_model = numbers.setdefault(model, {})
        of_model[bucket] = of_model.get(bucket, 0) + number
        if partly:
            of_model[PARTLY] = of_model.get(PARTLY, 0) + number
    return numbers


def _schema() -> list[tuple[str, tuple[str, ...]]]:
    return [(tracked.label, tracked.columns) for tracked in tracked_models()]
