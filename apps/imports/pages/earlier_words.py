"""What is unusual about a plan, in words, with the way to its rows."""

from dataclasses import dataclass
from typing import Any

from apps.changesets.history.values import field_label
from apps.changesets.text import plural
from apps.imports.models import ImportRun
from apps.imports.registry import spec_named
from apps.imports.runs.rows import Bucket

# The bucket of a count, and what is said of its rows.
_COUNTS = {
    "created": (Bucket.NEW, "of the rows are new"),
    "missing": (Bucket.MISSING, "as many as that are missing"),
    "kept": (Bucket.KEPT, "of the rows meet corrections made here"),
    "refused": (Bucket.REFUSED, "of the rows are refused"),
    "cells_refused": (Bucket.REFUSED, "as many as that have refused cells"),
    "renamed": (Bucket.RENAMED, "of the rows get another key"),
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
        bucket, words = _COUNTS[name]
        return Unusual(share["share"], words, f"?bucket={bucket}#rows-title", before)
    model = spec_named(run.spec).model
    words = f"of the {plural(2, model)} that are here change in {field_label(model, name)}"
    return Unusual(share["share"], words, f"?bucket={Bucket.CHANGED}&field={name}#rows-title", before)
