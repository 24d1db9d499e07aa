"""Where other apps look at what a plan would do: limits that stop it, and what people are told before they confirm it.

This app knows neither airports nor rules of quality: whoever imports something registers the checks of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apps.imports.errors import BeyondLimits
from apps.imports.staging.tables import Staging

# Returns a sentence for each limit that the plan goes past, naming its setting.
Limits = Callable[[Staging], list[str]]


@dataclass(frozen=True)
class PlanCheck:
    """Something to be told of a stored plan: `look` finds it (as JSON) while the plan's tables are there, `template`
    shows it on the plan's page as `found`."""

    name: str
    look: Callable[[Staging], Any]
    template: str


_limits: dict[str, list[Limits]] = {}
_checks: dict[str, dict[str, PlanCheck]] = {}


def register_limits(spec: str, limits: Limits) -> None:
    """Let `limits` stop imports of a spec (its name)."""
    known = _limits.setdefault(spec, [])
    if limits not in known:
        known.append(limits)


def register_plan_check(spec: str, check: PlanCheck) -> None:
    """Let what `check` finds be shown with each stored plan of a spec (its name)."""
    _checks.setdefault(spec, {})[check.name] = check


def beyond_limits(staging: Staging) -> tuple[str, ...]:
    """Return the sentences of the limits that the plan goes past; only temporary tables are written."""
    return tuple(sentence for limits in _limits.get(staging.spec.name, ()) for sentence in limits(staging))


def require_within_limits(sentences: tuple[str, ...] | list[str], *, past: bool) -> None:
    """Raise BeyondLimits when there are such sentences, unless a person said to go past the limits."""
    if sentences and not past:
        raise BeyondLimits(f"{' '.join(sentences)} Nothing was imported.")


def look_at(staging: Staging) -> dict[str, Any]:
    """Return what all checks find of the plan, by their names."""
    return {name: check.look(staging) for name, check in _checks.get(staging.spec.name, {}).items()}


def shown_checks(spec: str, found: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return the template of each check that was made of a stored plan, with what it found, which may be nothing."""
    return [(check.template, found[name]) for name, check in _checks.get(spec, {}).items() if name in found]
