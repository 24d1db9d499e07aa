"""What a revert would do, as values that know neither pages nor SQL."""

from dataclasses import dataclass, field
from enum import StrEnum


class Bucket(StrEnum):
    """What becomes of an object."""

    RESTORED = "restored"
    DELETED = "deleted"
    RECREATED = "recreated"
    ALREADY = "already"
    KEPT = "kept"
    BLOCKED = "blocked"


class OnConflict(StrEnum):
    """What to do with values that somebody changed since."""

    KEEP = "keep"
    FORCE = "force"
    ABORT = "abort"


@dataclass(frozen=True)
class Scope:
    """Which part of the changesets to revert; empty means everything.

    `models` are labels (`airports.airport`), `pks` primary keys as text (before or after the change), `fields` column
    or field names. With `fields`, creations and deletions are left alone.
    """

    models: tuple[str, ...] = ()
    pks: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        return not (self.models or self.pks or self.fields)


@dataclass(frozen=True)
class Verdict:
    """What becomes of one object, and why: the words are for people."""

    model: str
    pk: str
    label: str
    bucket: Bucket
    why: str = ""
    since: int | None = None


@dataclass(frozen=True)
class RevertPlan:
    """What reverting these changesets would do: numbers of objects by bucket, and the first objects of each.

    An object that is restored in part and kept in part counts in both buckets.
    """

    changesets: tuple[int, ...]
    scope: Scope
    on_conflict: OnConflict
    counts: dict[str, int] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()

    def number(self, bucket: Bucket) -> int:
        """Return how many objects are in the bucket."""
        return self.counts.get(bucket, 0)

    @property
    def writes(self) -> int:
        """How many objects the revert would write."""
        return sum(self.number(bucket) for bucket in (Bucket.RESTORED, Bucket.DELETED, Bucket.RECREATED))

    @property
    def left_alone(self) -> int:
        """How many objects are kept or blocked."""
        return self.number(Bucket.KEPT) + self.number(Bucket.BLOCKED)
