"""The values that travel through an import; they know neither admin nor HTTP nor any model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple, Self

from apps.changesets.processes.progress import Progress as Progress
from apps.changesets.processes.progress import quiet as quiet

OnLocalEdit = Literal["keep", "overwrite", "abort"]
Missing = Literal["report", "deactivate", "delete"]
Blank = Literal["", "keep", "clear"]
BadCells = Literal["", "row", "cell"]
Disputes = Literal["refuse", "id", "ident"]
Decimal = Literal["point", "comma"]
Thousands = Literal["", "point", "comma", "space", "apostrophe"]
# How many refusals, kept values and so on a plan has in full; all of them are counted.
LISTED = 1000
# How many refusals of one rule over many rows (twice in the file, held by another) are listed.
REFUSALS_LISTED = 100_000

# What programs write for: no value. As they are written; NAN in capitals is the IATA code of Nadi.
NULL_WORDS = frozenset(
    ("null", "NULL", "Null", "\\N", "n/a", "N/A", "#N/A", "none", "None", "nan", "NaN", "<NA>", "-", "--")
)


@dataclass(frozen=True)
class Refusal:
    """One cell, or one row, that breaks a rule: where it is, what it says, and why it cannot be taken."""

    line: int
    column: str
    value: str
    rule: str
    hint: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.column}: {self.value!r}: {self.hint}"


class RefusedRows(NamedTuple):
    """How many rows of a file are refused for a reason, and the first refusals."""

    number: int
    first: list[Refusal]


@dataclass(frozen=True)
class KeptValue:
    """A value that somebody corrected here and that upstream changed since: the correction is kept."""

    object_id: str
    field: str
    base: Any
    new: Any
    current: Any


@dataclass(frozen=True)
class Superseded:
    """A live object that the file no longer has, whose primary key the file gives to another one."""

    object_id: str
    source_id: int
    new_source_id: int
    line: int
    corrected: bool


@dataclass(frozen=True)
class LeftAlone:
    """A row of a plan that applying skipped, and why: one of the file (`line`), or an object that the file lacks."""

    line: int | None
    object_id: str
    why: str

    def __str__(self) -> str:
        where = f"line {self.line}" if self.line is not None else "not in the file"
        return f"{where}{f', {self.object_id}' if self.object_id else ''}: {self.why}"


@dataclass(frozen=True)
class ValueChange:
    """A change by its name, and the argument that it takes, if any: `part` 1, `round` 0."""

    name: str
    argument: str = ""

    def __str__(self) -> str:
        return f"{self.name}:{self.argument}" if self.argument else self.name

    def as_json(self) -> list[str]:
        """Return the change as JSON keeps it."""
        return [self.name, self.argument]

    @classmethod
    def from_json(cls, kept: Sequence[Any]) -> Self:
        """Return the change that `as_json` kept."""
        return cls(*map(str, kept))


Changes = Mapping[str, Sequence[ValueChange]]


def changes_as_json(changes: Changes) -> dict[str, list[list[str]]]:
    """Return the changes of fields as JSON keeps them."""
    return {field: [change.as_json() for change in steps] for field, steps in changes.items() if steps}


def changes_from_json(kept: Mapping[str, Any] | None) -> dict[str, tuple[ValueChange, ...]]:
    """Return the changes of fields that `changes_as_json` kept."""
    return {field: tuple(map(ValueChange.from_json, steps)) for field, steps in (kept or {}).items()}


@dataclass(frozen=True)
class ImportOptions:
    """What the person chose.

    `only` maps a target field to a test of its raw text. A blank cell keeps the value or clears it; by default
    it keeps it in corrections and clears it in a snapshot. Cells that say one of the `null_words` are blank. A bad cell
    refuses its row, or only itself, which needs that blank cells keep the value; by default corrections lose the cell,
    and a snapshot the row. `match` names the key that rows are matched by instead of the usual ones, `ignore_case` lets
    keys in lower case name objects. `columns` are the fields to take (None: all that the file has), `mapping` gives the
    title of the column for each field where the titles are not ours, `named` some beside those that are found by title,
    `changes` what values need before they are parsed. `decimal` and `thousands` say how the file writes numbers
    (`thousands` blank: without a sign). `missing_limit` is the share of the live objects, in percent, that may be
    deactivated or deleted because the file lacks them. With `past_limits` the limits of the settings do not stop it.
    `disputed` is the key that counts in rows whose evidence contradicts their key: the first one that they give (id),
    or the others (ident); by default such rows are refused. `source_title` says whose values a file of corrections has;
    its name does, where nobody says.
    """

    corrections: bool = False
    blank: Blank = ""
    bad_cell: BadCells = ""
    null_words: frozenset[str] = NULL_WORDS
    match: str = ""
    ignore_case: bool = False
    columns: frozenset[str] | None = None
    mapping: Mapping[str, str] | None = None
    named: Mapping[str, str] = field(default_factory=dict)
    changes: Changes = field(default_factory=dict)
    decimal: Decimal = "point"
    thousands: Thousands = ""
    missing_limit: float = 1.0
    on_local_edit: OnLocalEdit = "keep"
    missing: Missing = "report"
    strict: bool = False
    limit: int | None = None
    only: Mapping[str, Callable[[str], bool]] = field(default_factory=dict)
    skip_links: frozenset[str] = frozenset()
    past_limits: bool = False
    disputed: Disputes = "refuse"
    source_title: str = ""

    @property
    def filtered(self) -> bool:
        """Whether rows of the file may be left out."""
        return bool(self.only) or self.limit is not None

    @property
    def blank_clears(self) -> bool:
        """Whether a blank cell clears the value."""
        return self.blank == "clear" or (self.blank == "" and not self.corrections)

    @property
    def takes_rest(self) -> bool:
        """Whether the rest of a row with a bad cell is taken."""
        return not self.blank_clears and (self.bad_cell or ("cell" if self.corrections else "row")) == "cell"

    def as_json(self) -> dict[str, Any]:
        """Return the options as JSON keeps them; filters are not kept, a stored plan has none."""
        return {
            "corrections": self.corrections,
            "blank": self.blank,
            "bad_cell": self.bad_cell,
            "null_words": sorted(self.null_words),
            "match": self.match,
            "ignore_case": self.ignore_case,
            "columns": sorted(self.columns) if self.columns is not None else None,
            "mapping": dict(self.mapping) if self.mapping is not None else None,
            "changes": changes_as_json(self.changes),
            "decimal": self.decimal,
            "thousands": self.thousands,
            "missing_limit": self.missing_limit,
            "on_local_edit": self.on_local_edit,
            "missing": self.missing,
            "strict": self.strict,
            "limit": self.limit,
            "skip_links": sorted(self.skip_links),
            "disputed": self.disputed,
            "source_title": self.source_title,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "ImportOptions":
        """Return the options that `as_json` kept; those that this version does not have are left out."""
        columns = kept.get("columns")
        known = {name: value for name, value in kept.items() if name in cls.__dataclass_fields__}
        return cls(
            **{**known, "columns": None if columns is None else frozenset(columns)}
            | {
                "skip_links": frozenset(kept.get("skip_links", ())),
                "null_words": frozenset(kept.get("null_words", NULL_WORDS)),
                "changes": changes_from_json(kept.get("changes")),
            }
        )


@dataclass(frozen=True)
class ImportCounts:
    """Rows of the file (total, skipped, refused) and objects; total = created + updated + unchanged + the two.

    Refused cells are those of rows that are taken without them. Disputed rows are refused, unless the options say which
    key counts. Corrections are values that will differ from upstream's.
    """

    total: int = 0
    created: int = 0
    updated: int = 0
    renamed: int = 0
    unchanged: int = 0
    skipped: int = 0
    refused: int = 0
    cells_refused: int = 0
    disputed: int = 0
    kept: int = 0
    missing: int = 0
    superseded: int = 0
    deleted_here: int = 0
    corrections: int = 0
    links: Mapping[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, int]:
        """Return the counts flat, those of the links last."""
        values = asdict(self)
        links = values.pop("links")
        return {**values, **links}

    @classmethod
    def from_dict(cls, counts: Mapping[str, int]) -> Self:
        """Return the counts that `as_dict` made flat."""
        own = {name: number for name, number in counts.items() if name in cls.__dataclass_fields__}
        return cls(**own, links={name: number for name, number in counts.items() if name not in own})


def source_title(options: ImportOptions, file_name: str) -> str:
    """Return whose values a file of corrections has, its name where nobody said; empty for a snapshot of upstream."""
    return (options.source_title or file_name.rsplit("/", 1)[-1]) if options.corrections else ""


def blanks_in_words(words: Mapping[str, int]) -> str:
    """Return what was read as blank, such as `2 cells read as blank: null, \\N`; empty where nothing was."""
    number = sum(words.values())
    cells = "cell" if number == 1 else "cells"
    return f"{number:,} {cells} read as blank: {', '.join(sorted(words))}" if number else ""


@dataclass(frozen=True)
class FileIdentity:
    """What a changeset remembers of the file."""

    name: str
    sha256: str
    size: int
