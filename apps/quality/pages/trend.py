"""The change of a number of findings since an earlier moment, with sign and word."""

from dataclasses import dataclass

from django.utils.html import format_html

from apps.changesets.pages import links, show
from apps.quality.models import Tally


@dataclass(frozen=True)
class Trend:
    """The difference of a number to its earlier value; `name` is the name of its colour."""

    sign: str
    words: str
    name: str


def trend_of(code: str, number: int, earlier: Tally | None) -> Trend | None:
    """Return the trend of the findings of a rule; None when no earlier number is known."""
    if earlier is None or code not in earlier.counts:
        return None
    return trend_between(earlier.counts[code], number)


def trend_between(before: int, after: int) -> Trend:
    """Return the trend of a number of findings; more is worse."""
    increase = after - before
    if increase == 0:
        return Trend("=", "unchanged", "kept")
    if increase > 0:
        return Trend("↑", f"{increase:,} more", "deleted")
    return Trend("↓", f"{-increase:,} fewer", "created")


def since_words(earlier: Tally | None) -> str:
    """Return the words for the moment of comparison, as safe HTML."""
    if earlier is None:
        return ""
    if earlier.changeset_id is None:
        return format_html("since {}", show.moment(earlier.taken_at))
    address = links.changeset_url(earlier.changeset_id)
    return format_html('since <a href="{}">#{}</a>, {}', address, earlier.changeset_id, show.moment(earlier.taken_at))
