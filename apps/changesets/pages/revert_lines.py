"""The numbers of a revert in words: its buckets in the order of the page, with sign and sentence."""

from apps.changesets.acts.lines import Line
from apps.changesets.pages.stored_rows import RowBucket
from apps.changesets.plans.rows import PARTLY
from apps.changesets.revert import Bucket, RevertPlan
from apps.changesets.revert.wording import whole_numbers
from apps.changesets.text import plural

# The order of the page: what is written, then what is left alone. Sign and colour as everywhere.
BUCKETS = (
    (Bucket.RESTORED, "changed", "objects get their old values back", "object gets its old values back"),
    (
        PARTLY,
        "changed",
        "objects go back except for values changed since",
        "object goes back except for values changed since",
    ),
    (Bucket.DELETED, "deleted", "objects that it added are deleted", "object that it added is deleted"),
    (Bucket.RECREATED, "created", "objects that it deleted come back", "object that it deleted comes back"),
    (Bucket.KEPT, "kept", "objects are kept as they are: changed since", "object is kept as it is: changed since"),
    (Bucket.BLOCKED, "blocked", "objects are blocked", "object is blocked"),
    (Bucket.ALREADY, "already", "objects are as they were already", "object is as it was already"),
)
CHIPS = [RowBucket(str(bucket), sign, str(bucket)) for bucket, sign, _many, _one in BUCKETS]


def lines_of(plan: RevertPlan, *, redo: bool) -> list[Line]:
    """Return what a plan means, a line for each of its buckets; a `redo` undoes a revert."""
    numbers = whole_numbers(plan.counts, plan.partly)
    return [
        Line(operation, numbers[bucket], _sentence(plan, plural(numbers[bucket], singular, many), redo=redo))
        for bucket, operation, many, singular in BUCKETS
        if numbers.get(bucket)
    ]


def _sentence(plan: RevertPlan, words: str, *, redo: bool) -> str:
    words = words.replace("old values", "newer values") if redo else words
    return words.replace("that it", "that they") if len(plan.changesets) > 1 else words
