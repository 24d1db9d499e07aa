"""Checks of an import: options that contradict each other, limits that stop a plan, findings that its page shows.

The spec of an import brings limits and findings; this app knows neither airports nor rules of quality.
"""

from typing import Any

from apps.imports.errors import BeyondLimits, ColumnsMissing, OptionsContradict
from apps.imports.mapping.layout import Layout
from apps.imports.registry import spec_named
from apps.imports.results import ImportOptions
from apps.imports.spec import ImportSpec
from apps.imports.staging.tables import Staging


def check_options(spec: ImportSpec, options: ImportOptions) -> None:
    """Raise OptionsContradict when the options do not go together, or not with what is imported."""
    plural = str(spec.model._meta.verbose_name_plural).capitalize()
    if not spec.upstream and not options.corrections:
        raise OptionsContradict(f"{plural} have no upstream: import the file as corrections by hand.")
    if options.match and options.match not in spec.match_choices:
        raise OptionsContradict(
            f"{plural} cannot be matched by {options.match}: use {', '.join(spec.match_choices) or 'no --match'}."
        )
    if options.ignore_case and not options.corrections:
        raise OptionsContradict("--ignore-case is for corrections: a snapshot's keys are taken as they are written.")
    if options.missing != "report" and options.filtered:
        raise OptionsContradict("--missing deactivate or delete needs the whole file: leave out the filters.")
    if options.missing != "report" and options.corrections:
        raise OptionsContradict("A corrections file does not list every object: leave out --missing.")
    if options.bad_cell == "cell" and options.blank_clears:
        raise OptionsContradict("--bad-cell cell needs --blank keep: a refused cell must not clear a value.")
    if options.missing == "deactivate" and spec.active is None:
        raise OptionsContradict(f"{plural} cannot be inactive: use --missing report or delete.")


def check_filters(layout: Layout, options: ImportOptions) -> None:
    """Raise ColumnsMissing when the file lacks a column to filter by."""
    lacking = sorted(set(options.only) - layout.fields)
    if lacking:
        raise ColumnsMissing(f"The file has no column {', '.join(lacking)} to filter by.")


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


def shown_after(spec: str) -> list[tuple[str, str]]:
    """Return the name of each check that also says something of an import that was applied, and the template of it."""
    return [(check.name, check.after) for check in spec_named(spec).checks if check.after]


def shown_checks(spec: str, findings: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return the template of each check that was made of a stored plan, with its findings, which may be none."""
    return [(check.template, findings[check.name]) for check in spec_named(spec).checks if check.name in findings]
