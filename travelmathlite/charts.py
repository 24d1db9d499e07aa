"""The charts of the dashboard: each is a table first, which a script draws as lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.changesets.pages import links
from apps.quality.figures import Step
from apps.quality.rules import Severity


@dataclass(frozen=True)
class Chart:
    """Numbers over time: a title, the columns with their colours (names of the stylesheet), and the rows.

    A row is its moment, the words and address of what was then, and a number for each column.
    """

    id: str
    title: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[datetime, str, str, tuple[Any, ...]], ...]
    unit: str = ""
    # What must happen before there are two points to draw a line through.
    wait: str = ""


def growth_chart(steps: Sequence[Step]) -> Chart:
    """Return the chart of the number of airports after each changeset."""
    rows = tuple(
        (step.at, f"#{step.changeset_id}", links.changeset_url(step.changeset_id), (step.number,)) for step in steps
    )
    wait = "It begins with the second changeset that adds or deletes airports."
    return Chart("growth", "Airports over time", (("Airports", "large"),), rows, wait=wait)


def coverage_chart(trend: Sequence[tuple[datetime, dict[str, float]]]) -> Chart:
    """Return the chart of the coverage of links, for each tally."""
    columns = (("airports.airport.country", "Country", "medium"), ("airports.airport.city", "City", "added"))
    rows = tuple((at, "", "", tuple(coverage.get(link) for link, _, _ in columns)) for at, coverage in trend)
    named = tuple((word, colour) for _, word, colour in columns)
    return Chart("coverage", "Link coverage over time", named, rows, unit="%", wait=_WAIT)


def findings_chart(trend: Sequence[tuple[datetime, dict[str, int]]]) -> Chart:
    """Return the chart of the findings by severity, for each tally."""
    columns = tuple((f"{severity.label}s", str(severity)) for severity in Severity)
    rows = tuple((at, "", "", tuple(counts.get(str(severity)) for severity in Severity)) for at, counts in trend)
    return Chart("findings", "Findings over time", columns, rows, wait=_WAIT)


_WAIT = "It begins with the second day or changeset after which findings were counted."
