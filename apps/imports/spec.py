"""How an app declares what an import of its files is: columns, keys, derived columns, links."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from django.db import models

from apps.changesets.fields import AnyField
from apps.changesets.tracking import TrackedModel, tracked_for
from apps.imports.mapping.columns import Column, Derived, Follower, Reference
from apps.imports.reading.rows import RawFile, Reading, read
from apps.imports.reading.sources import SourceFile
from apps.imports.results import RefusedRows


@dataclass(frozen=True)
class Link:
    """A foreign key worked out from other columns: made again when one of `follows` changes, empty unless all of
    `needs` are filled. `counted_as` names the count of links made.
    """

    field: str
    follows: tuple[str, ...]
    needs: tuple[str, ...]
    counted_as: str


class Linker(Protocol):
    """Matches, creates and joins what the objects are linked to; all in SQL over the rows to write."""

    links: Sequence[Link]
    models: Sequence[type[models.Model]]
    tables: Sequence[str]

    def plan(self, work: Any) -> dict[str, int]:
        """Fill tables of what is to be created, and return the counts; writes temporary tables only."""

    def create(self, work: Any, now: Any) -> None:
        """Create what the plan lists as missing."""

    def joins(self, work: Any, rows: str) -> str:
        """Return the LEFT JOINs that find each link of the rows under alias `rows`."""

    def target(self, work: Any, link: Link) -> str:
        """Return the SQL for the key of a link under those joins."""


class Completer(Protocol):
    """Works out values of new objects that their rows do not have, such as a slug.

    `plan` fills the table `imports_completed`, which has a line and these fields, for every row of `imports_created`.
    A value of the row itself comes first, unless it is blank.
    """

    fields: Sequence[str]
    tables: Sequence[str]

    def plan(self, work: Any) -> None:
        """Fill the table for the rows that create an object; writes temporary tables only."""


@dataclass(frozen=True)
class MatchChoice:
    """A key that a person may choose to match by: any of these fields alone, or all of them `together`."""

    title: str
    fields: tuple[str, ...]
    together: bool = False

    def columns(self, spec: "ImportSpec") -> set[str]:
        """Return the columns that the fields are, or are worked out from."""
        return {spec.follows.get(field, field) for field in self.fields}


# Adds rows to `imports_matched`, or refuses some, and returns what it refused.
MatchStep = Callable[[Any], RefusedRows]
# Returns a sentence for each limit that a staged plan goes past, naming its setting.
Limits = Callable[[Any], list[str]]


@dataclass(frozen=True)
class PlanCheck:
    """Findings about a stored plan: `look` returns them (as JSON) while the plan's tables are there, `template` shows
    them on the plan's page as `findings`.

    Those that have the name of a count of the plan stand on the page under that name: its line leads there. Those that
    have `keys`, of objects as they will be, can be asked for among the rows by their name.
    """

    name: str
    look: Callable[[Any], Any]
    template: str
    # The template that says on the page of an applied `run` how it came out; it has the `findings`, if there are any.
    after: str = ""


@dataclass(frozen=True)
class Evidence:
    """The fields that say, beside the keys, which object a row is about: its name, country and position.

    `codes` are values that two objects rarely share. Each of `keys` names an object, though it may not be unique.
    `lies_in` says whether a point (latitude, longitude) is in a country (a code).
    """

    name: str
    country: str = ""
    position: tuple[str, str] | tuple[()] = ()
    codes: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    lies_in: Callable[[str, float, float], bool] | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """All of them but the keys."""
        return (self.name, *([self.country] if self.country else []), *self.position, *self.codes)


@dataclass(frozen=True)
class ImportSpec:
    """Everything the generic import and export need to know about one kind of file.

    `upstream` is the JSON field that holds the values upstream had when they were last applied; without it a file can
    only be corrections by hand. A row that gives neither stable nor primary key is about the object that has the same
    values of the fields in `match_by`; or `match` finds it. Without `creates`, rows about no object are skipped.
    `label` is the field that people know an object by. `read` is for files that are no table with titles. `evidence`
    may contradict a match by keys.
    """

    name: str
    model: type[TrackedModel]
    columns: tuple[Column, ...]
    derived: tuple[Derived, ...] = ()
    followers: tuple[Follower, ...] = ()
    upstream: str | None = None
    # What people call the upstream whose snapshots are imported.
    upstream_title: str = ""
    linker: Linker | None = None
    read: Callable[[SourceFile, Reading | None], RawFile] = read
    match_by: tuple[str, ...] = ()
    match: MatchStep | None = None
    # The keys that a person may choose to match by instead, by the word for each.
    match_choices: Mapping[str, MatchChoice] = field(default_factory=dict)
    completer: Completer | None = None
    creates: bool = True
    # Titles by which other files of the upstream are known, that people take for this one.
    other_files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    label: str = "name"
    evidence: Evidence | None = None
    # Limits that stop an import, unless a person passes them; and findings about a plan that people are shown.
    limits: tuple[Limits, ...] = ()
    checks: tuple[PlanCheck, ...] = ()

    def __post_init__(self) -> None:
        """Complete each column from its field of the model."""
        columns = tuple(column.of(self.model) for column in self.columns)
        object.__setattr__(self, "columns", columns)

    @property
    def stable_key(self) -> str | None:
        """The field that stays when an object is renamed, or None."""
        return self.model.tracking.stable_key

    @property
    def pk(self) -> str:
        """The field that is the primary key."""
        return self.model._meta.pk.name

    @cached_property
    def active(self) -> str | None:
        """The field that `--missing deactivate` clears, where the model has one."""
        fields = self.model._meta.concrete_fields
        return next((f.name for f in fields if f.name == "active" and isinstance(f, models.BooleanField)), None)

    @cached_property
    def unique(self) -> tuple[tuple[str, ...], ...]:
        """The groups of fields of which no two objects may have the same values, but for the keys."""
        groups = map(self._named, tracked_for(self.model).unique_sets)
        return tuple(group for group in groups if group not in {(self.stable_key,), (self.pk,)})

    @cached_property
    def unique_where(self) -> tuple[tuple[tuple[str, ...], models.Q], ...]:
        """The groups that are unique among the objects that meet a condition, each with it."""
        return tuple((self._named(group), condition) for group, condition in tracked_for(self.model).conditional_sets)

    def _named(self, group: tuple[str, ...]) -> tuple[str, ...]:
        fields = tracked_for(self.model).fields_by_column
        return tuple(fields[column].name for column in group)

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The fields of which each alone names an object: the stable key, where there is one, and the primary key."""
        return tuple(field for field in (self.stable_key, self.pk) if field)

    @cached_property
    def automatic(self) -> bool:
        """Whether a new object gets its primary key by itself, so that its row has none and no object is renamed."""
        return isinstance(self.model._meta.pk, models.AutoField) or self.makes_keys

    @cached_property
    def makes_keys(self) -> bool:
        """Whether Python makes the primary key of a new object, such as a UUID."""
        pk = self.model._meta.pk
        return pk.has_default() and callable(pk.default)

    @cached_property
    def numbers(self) -> dict[str, bool]:
        """The fields that hold numbers, and whether these are whole."""
        kinds = (models.IntegerField, models.FloatField, models.DecimalField)
        fields = self.model._meta.concrete_fields
        return {field.name: isinstance(field, models.IntegerField) for field in fields if isinstance(field, kinds)}

    @cached_property
    def days_and_ids(self) -> frozenset[str]:
        """The fields that hold days or UUIDs, which are text in files and in JSON."""
        fields = self.model._meta.concrete_fields
        return frozenset(field.name for field in fields if is_day_or_id(field))

    @cached_property
    def has_days_or_ids(self) -> bool:
        """Whether such values may be among those that are read of the tables."""
        return bool(self.days_and_ids) or any(is_day_or_id(refers.model._meta.pk) for refers in self.referred.values())

    @cached_property
    def match_columns(self) -> tuple[str, ...]:
        """The columns that together name an object: those that the fields in `match_by` are worked out from."""
        return tuple(self.follows.get(field, field) for field in self.match_by)

    @cached_property
    def follows(self) -> dict[str, str]:
        """The column that each derived field is worked out from."""
        return {derived.field: derived.follows for derived in self.derived}

    @cached_property
    def referred(self) -> dict[str, Reference]:
        """What the fields that name another object refer to."""
        return {column.field: column.refers for column in self.columns if column.refers}

    @cached_property
    def watched(self) -> tuple[type[models.Model], ...]:
        """The models that a plan reads: the imported one, those that its rows refer to, and those that they link to."""
        read = [self.model, *(refers.model for refers in self.referred.values())]
        return tuple(dict.fromkeys([*read, *(self.linker.models if self.linker else ())]))

    @cached_property
    def required(self) -> tuple[Column, ...]:
        """The columns that a snapshot of upstream must have."""
        return tuple(column for column in self.columns if column.required)

    @cached_property
    def merged(self) -> tuple[str, ...]:
        """The fields whose upstream values are kept, always in the same order."""
        rows: list[Column | Derived] = [*self.columns, *self.derived]
        return tuple(row.field for row in rows if row.merged and row.stored)

    def following(self, fields: set[str]) -> set[str]:
        """Return the fields that follow these."""
        return {follower.field for follower in self.followers if follower.follows in fields}

    def derived_in(self, fields: set[str]) -> Iterator[Derived]:
        """Yield the derived values that can be worked out when the file fills `fields`."""
        return (derived for derived in self.derived if derived.follows in fields)


def is_day_or_id(field: AnyField) -> bool:
    """Whether a field holds a day or a UUID; a moment is neither."""
    return isinstance(field, models.DateField | models.UUIDField) and not isinstance(field, models.DateTimeField)
