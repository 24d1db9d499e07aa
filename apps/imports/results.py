"""The values that travel through an import; they know neither admin nor HTTP nor any model."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

OnLocalEdit = Literal["keep", "overwrite", "abort"]
Missing = Literal["report", "deactivate", "delete"]
Progress = Callable[[str, int], None]

# How many refusals, kept values and so on a plan carries in full; all of them are counted.
LISTED = 1000


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


@dataclass(frozen=True)
class KeptValue:
    """A value that somebody corrected here and that upstream has changed since: ours is kept."""

    object_id: str
    field: str
    base: Any
    new: Any
    current: Any


@dataclass(frozen=True)
class Superseded:
    """A live object that the file no longer has, whose natural key the file gives to another one."""

    object_id: str
    source_id: int
    new_source_id: int
    line: int
    corrected: bool


@dataclass(frozen=True)
class ImportOptions:
    """What the person asked for; `only` maps a target field to a test of its raw text."""

    corrections: bool = False
    on_local_edit: OnLocalEdit = "keep"
    missing: Missing = "report"
    strict: bool = False
    limit: int | None = None
    only: Mapping[str, Callable[[str], bool]] = field(default_factory=dict)
    skip_links: frozenset[str] = frozenset()

    @property
    def filtered(self) -> bool:
        """Whether rows of the file may be left out."""
        return bool(self.only) or self.limit is not None


@dataclass(frozen=True)
class ImportCounts:
    """Rows of the file (total, skipped, refused) and objects; total = created + updated + unchanged + the two."""

    total: int = 0
    created: int = 0
    updated: int = 0
    renamed: int = 0
    unchanged: int = 0
    skipped: int = 0
    refused: int = 0
    kept: int = 0
    missing: int = 0
    superseded: int = 0
    links: Mapping[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, int]:
        """Return the counts flat, those of the links last."""
        values = asdict(self)
        links = values.pop("links")
        return {**values, **links}


@dataclass(frozen=True)
class FileIdentity:
    """What a changeset remembers of the file."""

    name: str
    sha256: str
    size: int
