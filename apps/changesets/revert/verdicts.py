"""The plan of a revert: values that know neither pages nor SQL."""

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


# What writing an object of a bucket is, as changesets count it.
OPERATIONS = {Bucket.RESTORED: "changed", Bucket.DELETED: "deleted", Bucket.RECREATED: "created"}


class OnConflict(StrEnum):
    """What to do with values that somebody changed since."""

    KEEP = "keep"
    FORCE = "force"
    ABORT = "abort"


@dataclass(frozen=True)
class Scope:
    """Which part of the changesets to revert; empty means everything.

    `models` are labels (`airports.airport`), `fields` column or field names. `pks` are the only objects to revert and
    `leave` those to leave out: primary keys as text (before or after the change), with the model's label and a colon
    in front where several models are meant (`base.city:12`). With `fields`, creations and deletions are left alone.
    """

    models: tuple[str, ...] = ()
    pks: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    leave: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        return not (self.models or self.pks or self.fields or self.leave)


@dataclass(frozen=True)
class Window:
    """Which rows of a plan are wanted: `limit` of a bucket from the one numbered `start`; of each bucket if None."""

    bucket: Bucket | None = None
    start: int = 0
    limit: int = 100


@dataclass(frozen=True)
class KeptField:
    """A field left alone: before the changeset, as the changeset left it, as it is now, and what made it so."""

    name: str
    label: str
    before: str
    left: str
    now: str
    since: int | None = None


@dataclass(frozen=True)
class Cause:
    """An object that stands in the way, what it has to do with it (`refers to it`), and the changeset behind that."""

    model: str
    pk: str
    label: str
    words: str
    since: int | None = None
    by: str = ""

    def __str__(self) -> str:
        return f"{self.label} {self.words}" + (f" since {self.by}" if self.by else "")


@dataclass(frozen=True)
class Verdict:
    """The bucket of one object, and the reason in words.

    Where it is kept, `since` is the changeset that changed it last, `by` that changeset in words, and `fields` its
    fields with their values; where it is blocked, `causes` are the first that stand in the way, and `more` the number
    of the others.
    """

    model: str
    pk: str
    label: str
    bucket: Bucket
    why: str = ""
    since: int | None = None
    by: str = ""
    fields: tuple[KeptField, ...] = ()
    causes: tuple[Cause, ...] = ()
    more: int = 0
    # Of one that is kept: its other values go back all the same.
    partly: bool = False

    @property
    def sentence(self) -> str:
        """The whole reason on one line."""
        reason = self.why + (f", last in {self.by}" if self.by and not self.causes else "")
        if self.causes:
            reason += ": " + "; ".join(map(str, self.causes))
        return reason + (f"; and {self.more:,} more" if self.more else "")


@dataclass(frozen=True)
class RevertPlan:
    """What reverting these changesets would do: numbers of objects by bucket, and the first objects of each.

    An object that is restored in part and kept in part counts in both buckets, and in `partly`. `models` has what would
    become of the objects of each model that is touched, by label and operation, as a changeset counts it.
    """

    changesets: tuple[int, ...]
    scope: Scope
    on_conflict: OnConflict
    counts: dict[str, int] = field(default_factory=dict)
    models: dict[str, dict[str, int]] = field(default_factory=dict)
    partly: int = 0
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
