"""Checks of a plan before it is applied: limits that stop it, and findings that its page shows.

The spec of an import brings both; this app knows neither airports nor rules of quality.
"""

from typing import Any

from apps.imports.errors import BeyondLimits
from apps.imports.registry import spec_named
from apps.imports.staging.tables import Staging


def beyond_limits(staging: Staging) -> tuple[str, ...]:
    """Return the sentences of the limits that the plan goes past; only temporary tables are written."""
    return tuple(sentence for limits in staging.spec.limits for sentence in limits(staging))


def require_within_limits(sentences: tuple[str, ...] | list[str], *, past: bool) -> None:
    """Raise BeyondLimits when there are such sentences, unless a person chose to pass the limits."""
    if sentences and not past:
        raise BeyondLimits(f"{' '.join(sentences)} Nothing was imported.")


def look_at(staging: Staging) -> dict[str, Any]:
    """Return the findings of all checks about the plan, by their names."""
    return {check.name: check.look(staging) for check in staging.spec.checks}


def shown_checks(spec: str, findings: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return the template of each check that was made of a stored plan, with its findings, which may be none."""
    return [(check.template, findings[check.name]) for check in spec_named(spec).checks if check.name in findings]
