"""Small pieces of HTML that lists and pages share: times, signs, counts, states, values."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join

from apps.changesets.history.counts import Counts, total
from apps.changesets.history.values import EMPTY, in_words
from apps.changesets.history.words import SIGNS, VERDICTS, standing_revert
from apps.changesets.models import Changeset, Status
from apps.changesets.pages import links

NOTHING = format_html('<span class="empty">{}</span>', "nothing")
# What happened to objects, in the order that people read it in.
TALLIED = ("created", "changed", "deleted")
NO_VALUE = format_html('<span class="empty">{}</span>', "empty")


def moment(value: datetime) -> str:
    """Return a time as people say it, with the exact one on hover."""
    local = timezone.localtime(value)
    exact = formats.date_format(local, "DATETIME_FORMAT") + f" {local.tzname()}"
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), exact, naturaltime(value))


def sign(operation: str, number: int | None = None) -> str:
    """Return sign and word of a sort of change, in its colour; with a number between them where there is one."""
    mark, word = SIGNS[operation]
    if number is None:
        return format_html('<span class="op op-{}"><b>{}</b> {}</span>', operation, mark, word)
    return format_html('<span class="op op-{}"><b>{}</b>{} {}</span>', operation, mark, f"{number:,}", word)


def counts(of: Counts) -> str:
    """Return the objects of a changeset by what happened to them, over all models."""
    return tally({name: total(of, [name]) for name in TALLIED}) or NOTHING


def tally(of: Mapping[str, int]) -> str:
    """Return how many objects were added, changed and deleted, and how many of the changed ones were renamed."""
    parts = [[sign(name, of[name])] for name in TALLIED if of.get(name)]
    if of.get("renamed"):
        after = sum(1 for name in TALLIED[:2] if of.get(name))
        parts.insert(after, [format_html('<span class="quiet">({} of them renamed)</span>', f"{of['renamed']:,}")])
    return format_html_join(" ", "{}", parts)


def state(changeset: Changeset) -> str:
    """Return what became of a changeset, with a link to the revert that stands; `reverted_by` is prefetched."""
    if changeset.status == Status.FAILED:
        return format_html('<span class="op op-refused"><b>×</b> failed</span>')  # noqa: RUF001 - the sign of refusal
    if changeset.status == Status.APPLIED and changeset.pruned_at is not None:
        return "history pruned"
    by = standing_revert(changeset)
    if changeset.status == Status.APPLIED or by is None:
        return "" if changeset.status == Status.APPLIED else changeset.get_status_display().lower()
    word = "reverted" if changeset.status == Status.REVERTED else "partly reverted"
    return format_html('{} by <a href="{}">#{}</a>', word, links.changeset_url(by.pk), by.pk)


def reviewed(changeset: Changeset) -> str:
    """Return what the reviewer of a changeset found, with sign and colour; nothing where nobody reviewed it."""
    return verdict(changeset.verdict, by=changeset.reviewed_by_name) if changeset.verdict else ""


def verdict(name: str, *, by: str = "") -> str:
    """Return what a reviewer may find, as sign and word in its colour."""
    sign, word = VERDICTS[name]
    title = format_html(' title="reviewed by {}"', by) if by else ""
    return format_html('<span class="op verdict-{}"{}><b aria-hidden="true">{}</b> {}</span>', name, title, sign, word)


def next_steps(changeset: Changeset, *, may_revert: bool) -> str:
    """Return the link to review a changeset and, where that is possible, the button to revert it."""
    review = format_html('<a href="{}" aria-label="Review {}">Review</a>', links.changeset_url(changeset.pk), changeset)
    if not may_revert:
        return review
    button = links.plan_button(links.revert_url(changeset.pk), "Revert…", label=f"Revert {changeset}")
    return format_html("{} {}", review, button)


def quoted(reason: str) -> str:
    """Return a reason as the words of a person; nothing where there is none."""
    return format_html('<q class="reason">{}</q>', reason) if reason else ""


def with_code(sentence: str) -> str:
    """Return a sentence with what is to be typed, which stands between backticks, as code."""
    parts = [
        format_html("<code>{}</code>", part) if code % 2 else part for code, part in enumerate(sentence.split("`"))
    ]
    return format_html_join("", "{}", ((part,) for part in parts))


def value(of: Any) -> str:
    """Return a field's value to read: empty ones and yes and no in words, numbers as they are."""
    return NO_VALUE if of in EMPTY else in_words(of)


def size(number: int | None) -> str:
    """Return a size in bytes with its separators."""
    return "" if number is None else f"{number:,} bytes"
