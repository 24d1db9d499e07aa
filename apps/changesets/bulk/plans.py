"""The plan of a bulk action: values that know neither admin nor HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import models

from apps.changesets.acts.lines import Line

SAMPLE = 10
Options = Mapping[str, Any]


@dataclass(frozen=True)
class Listed:
    """The names of a few objects that a plan must name, how many there are, and why they are named."""

    why: str
    number: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class ValueCount:
    """A value now and after in words, and how many objects have it."""

    now: str
    after: str
    number: int


@dataclass(frozen=True)
class BulkPlan:
    """What would change, what would not and why; `refusal` says why nothing can be changed.

    `objects` says in words how many objects would change ("1,204 airports"), `done` what is told afterwards.
    """

    number: int
    objects: str
    done: str
    lines: tuple[Line, ...] = ()
    sample: tuple[str, ...] = ()
    listed: tuple[Listed, ...] = ()
    # Those that the database would refuse, by the rule that each would break.
    blocked: tuple[Listed, ...] = ()
    refusal: str = ""
    # The action on the same selection that takes away what stands in the way.
    way_out: str = ""
    selected: int = 0
    # The commonest distinct values that change, and how many there are.
    values: tuple[ValueCount, ...] = ()
    distinct: int = 0
    # What else than the selection and the numbers an action depends on; anything that moves there changes it.
    also_seen: str = ""
    # What the plan saw, as JSON has it: selection, numbers, and what was chosen.
    seen: Mapping[str, Any] = field(default_factory=dict)
    # What the action wants to remember of its plan when it writes.
    facts: Mapping[str, Any] = field(default_factory=dict)


def leaving_out(plan: BulkPlan, blocked: Sequence[Listed]) -> BulkPlan:
    """Return the plan of an action on what is left, with what was left out of it because of a rule."""
    lines = [Line("blocked", listed.number, listed.why) for listed in blocked]
    done = "; ".join([plan.done.removesuffix("."), *(f"{line.number:,} {line.words}" for line in lines)])
    listed = (*plan.listed, *blocked)
    return replace(plan, done=f"{done}.", lines=(*plan.lines, *lines), listed=listed, blocked=tuple(blocked))


# Lines of these signs tell what is left alone.
LEFT = ("kept", "blocked")


def summary_of(plan: BulkPlan, model: type[models.Model]) -> dict[str, Any]:
    """Return what a changeset keeps of the plan it followed: what was left alone and why is in no table.

    The first names are kept, too: they say what it was about, without a look at the history.
    """
    return {
        "model": model._meta.label_lower,
        "selected": plan.selected,
        "done": plan.done,
        "number": plan.number,
        "sample": list(plan.sample),
        "left": [[line.sign, line.number, line.words] for line in plan.lines if line.sign in LEFT],
        "listed": [[listed.why, listed.number, list(listed.names)] for listed in plan.listed],
    }


def sample_of(rows: models.QuerySet[Any]) -> tuple[str, ...]:
    """Return the names of the first few objects."""
    return tuple(str(row) for row in rows.order_by("pk")[:SAMPLE])
