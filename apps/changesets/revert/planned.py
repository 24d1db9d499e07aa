"""Reverting exactly what a person was shown."""

from typing import Any

from apps.changesets.context import changeset
from apps.changesets.errors import PlanMoved
from apps.changesets.models import Changeset, Kind
from apps.changesets.revert.run import revert
from apps.changesets.revert.verdicts import RevertPlan


def revert_as_planned(plan: RevertPlan, *, actor: Any, reason: str, using: str = "default") -> Changeset | None:
    """Revert as `revert` does, but only if the numbers of objects are still the plan's.

    Raises PlanMoved otherwise, and nothing is reverted. A plan without numbers promises nothing.
    """
    with changeset(kind=Kind.REVERT, actor=actor, reason=reason, using=using) as opened:
        # The revert's own changeset joins this one, so that all of it is taken back together.
        revert(plan, actor=actor, reason=reason, using=using)
        if plan.counts and opened.summary["revert"] != plan.counts:
            raise PlanMoved("Rows changed since the plan was shown: this is the plan now, nothing was reverted.")
    return opened if opened.pk else None
