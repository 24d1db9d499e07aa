"""What is unusual about a plan, in words, with the way to its rows."""

from dataclasses import dataclass
from typing import Any

from apps.imports.models import ImportRun
from apps.imports.registry import spec_named
from apps.imports.runs.earlier_imports import COUNTS_IN_WORDS, words_of_field
from apps.imports.runs.rows import Bucket

# The bucket of a count.
_BUCKETS = {
    "created": Bucket.NEW,
    "missing": Bucket.MISSING,
    "kept": Bucket.KEPT,
    "refused": Bucket.REFUSED,
    "cells_refused": Bucket.REFUSED,
    "renamed": Bucket.RENAMED,
}


@dataclass(frozen=True)
class Unusual:
    """A share of a plan that is unusual: in percent, what it is of with the address of the rows, and before."""

    share: float
    words: str
    url: str
    before: str


def unusual_of(run: ImportRun) -> list[Unusual]:
    """Return what is unusual about the plan of a run; nothing of a plan that was not compared."""
    earlier = (run.summary or {}).get("earlier") or {}
    return [_in_words(run, share) for share in earlier.get("unusual", ())]


def _in_words(run: ImportRun, share: dict[str, Any]) -> Unusual:
    name = share["name"].removeprefix("field:")
    low, high = share["lowest"], share["highest"]
    before = f"{share['number']:,}; before {f'{low:g} to ' if low != high else ''}{high:g} %"
    if name == share["name"]:
        return Unusual(share["share"], COUNTS_IN_WORDS[name], f"?bucket={_BUCKETS[name]}#rows-title", before)
    words = words_of_field(spec_named(run.spec).model, name)
    return Unusual(share["share"], words, f"?bucket={Bucket.CHANGED}&field={name}#rows-title", before)
