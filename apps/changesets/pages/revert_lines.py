"""The numbers of a revert in words: its buckets in the order of the page, with sign and sentence."""

from collections.abc import Mapping

from apps.changesets.acts.lines import Line
from apps.changesets.pages.stored_rows import RowBucket
from apps.changesets.plans.rows import PARTLY
from apps.changesets.revert import Bucket, RevertPlan
from apps.changesets.text import plural

# The order of the page: what is written, then what is left alone. Sign and colour as everywhere.
BUCKETS = (
    (Bucket.RESTORED, "changed", "get their old values back", "gets its old values back"),
    (PARTLY, "changed", "go back except for values changed since", "goes back except for values changed since"),
    (Bucket.DELETED, "deleted", "that it added are deleted", "that it added is deleted"),
    (Bucket.RECREATED, "created", "that it deleted come back", "that it deleted comes back"),
    (Bucket.KEPT, "kept", "are kept as they are: changed since", "is kept as it is: changed since"),
    (Bucket.BLOCKED, "blocked", "are blocked", "is blocked"),
    (Bucket.ALREADY, "already", "are as they were already", "is as it was already"),
)
CHIPS = [RowBucket(str(bucket), sign, str(bucket)) for bucket, sign, _many, _one in BUCKETS]


def lines_of(plan: RevertPlan) -> list[Line]:
    """Return what a plan means, a line for each of its buckets."""
    return [
        Line(operation, number, f"{plural(number, 'object')} {_sentence(plan, plural(number, singular, many))}")
        for bucket, operation, many, singular in BUCKETS
        if (number := whole_numbers(plan.counts, plan.partly).get(bucket, 0))
    ]


def whole_numbers(counts: Mapping[str, int], partly: int) -> dict[str, int]:
    """Return each object of a revert in one bucket only: those that go back but for some values in PARTLY."""
    if not partly:
        return dict(counts)
    less = {bucket: counts.get(bucket, 0) - partly for bucket in (Bucket.RESTORED, Bucket.KEPT)}
    return {**counts, PARTLY: partly} | {str(bucket): number for bucket, number in less.items()}


def _sentence(plan: RevertPlan, words: str) -> str:
    return words.replace("that it", "that they") if len(plan.changesets) > 1 else words
