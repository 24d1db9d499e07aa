"""What a plan would do, in sentences: counts first, each with its sign and the way to its rows; and what is unusual."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from apps.changesets.acts.lines import Line
from apps.changesets.history.moves import in_words
from apps.changesets.models import Changeset, Kind
from apps.changesets.text import plural
from apps.imports.models import ImportRun
from apps.imports.plan.correction_count import words_of_corrections
from apps.imports.registry import spec_named
from apps.imports.results import ImportOptions
from apps.imports.runs.earlier_imports import COUNTS_IN_WORDS, words_of_field
from apps.imports.runs.rows import Bucket, figures_of

# What becomes of objects that the file lacks, unless their key goes to another one.
MISSING_WORDS = {
    "report": ("stays as it is", "stay as they are"),
    "deactivate": ("will be deactivated", "will be deactivated"),
    "delete": ("will be deleted", "will be deleted"),
}
MISSING_SIGNS = {"report": "missing", "deactivate": "changed", "delete": "deleted"}
# What a person should look at comes first.
FIRST = (
    Bucket.LEFT_ALONE,
    Bucket.DISPUTED,
    Bucket.REFUSED,
    Bucket.KEPT,
    Bucket.CHANGED,
    Bucket.NEW,
    Bucket.MISSING,
    Bucket.UNCHANGED,
)
# In the order of the page: the bucket's sign and its word on a chip.
CHIPS = (
    (Bucket.NEW, "created", "New"),
    (Bucket.CHANGED, "changed", "Changed"),
    (Bucket.MOVED, "changed", "Moved 100 m or more"),
    (Bucket.RENAMED, "renamed", "Renamed"),
    (Bucket.KEPT, "kept", "Kept corrections"),
    (Bucket.REFUSED, "refused", "Refused"),
    (Bucket.DISPUTED, "blocked", "Disputed"),
    (Bucket.MISSING, "missing", "Missing from the file"),
    (Bucket.SUPERSEDED, "deleted", "Superseded"),
    (Bucket.DELETED_HERE, "created", "Deleted here, but in the file"),
    (Bucket.UNCHANGED, "already", "Unchanged"),
    (Bucket.DECIDED, "kept", "Decided"),
    (Bucket.LEFT_ALONE, "blocked", "Left alone"),
)

SKIPPED = "left alone, since something changed after the plan was made"
# What an import left alone: the count, sign and bucket of it, and the words for one and for several.
LEFT = (
    ("kept", "kept", Bucket.KEPT, "object kept a correction made here", "objects kept corrections made here"),
    ("left_alone", "blocked", Bucket.LEFT_ALONE, f"row {SKIPPED}", f"rows {SKIPPED}"),
    ("refused", "refused", Bucket.REFUSED, "row of the file was refused", "rows of the file were refused"),
)


def left_lines(changeset: Changeset) -> Iterator[Line]:
    """Yield what an import left alone, and why; its page has the rows."""
    summary = changeset.summary or {}
    for count, sign, bucket, *words in LEFT if changeset.kind == Kind.IMPORT and "run" in summary else ():
        if number := summary["counts"].get(count, 0):
            url = reverse("admin:imports_importrun_change", args=[summary["run"]]) + rows_at(bucket)
            yield Line(sign, number, plural(number, *words), url)


def plan_lines(run: ImportRun) -> list[Line]:
    """Return what the plan would do, one sentence each; what is not there has none."""
    return [line for line in _lines(run, run.counts or {}) if line.number]


def _lines(run: ImportRun, counts: dict[str, int]) -> Iterator[Line]:
    options = ImportOptions.from_json(run.options)
    meta = spec_named(run.spec).model._meta

    def line(
        sign: str, count: str, singular: str, plural_form: str, bucket: Bucket | None = None, *, part: bool = False
    ) -> Line:
        number = counts.get(count, 0)
        noun = "of them" if part else plural(number, meta)
        return Line(sign, number, f"{noun} {plural(number, singular, plural_form)}", rows_at(bucket), part)

    yield line("created", "created", "is new", "are new", Bucket.NEW)
    yield line(
        "created",
        "deleted_here",
        "was deleted here and comes back",
        "were deleted here and come back",
        Bucket.DELETED_HERE,
        part=True,
    )
    yield line("changed", "updated", "changes", "change", Bucket.CHANGED)
    yield _moves(run)
    key = str(meta.pk.verbose_name)
    yield line("renamed", "renamed", f"gets another {key}", f"get another {key}", Bucket.RENAMED, part=True)
    yield line("kept", "kept", "keeps a correction made here", "keep corrections made here", Bucket.KEPT)
    yield _corrections(run, options, counts.get("corrections", 0))
    yield line("missing", "missing", "is not in the file", "are not in the file", Bucket.MISSING)
    yield line(
        "deleted",
        "superseded",
        f"will be deleted, since another one gets its {key}",
        f"will be deleted, since others get their {key}",
        Bucket.SUPERSEDED,
        part=True,
    )
    only_missing = counts.get("missing", 0) - counts.get("superseded", 0)
    yield Line(
        MISSING_SIGNS[options.missing],
        only_missing,
        f"of them {plural(only_missing, *MISSING_WORDS[options.missing])}",
        rows_at(Bucket.MISSING),
        part=True,
    )
    yield line("already", "unchanged", "is as the file says already", "are as the file says already", Bucket.UNCHANGED)
    yield from _not_taken(counts)
    yield from _links(run, counts)


def _corrections(run: ImportRun, options: ImportOptions, number: int) -> Line:
    words = words_of_corrections(number, spec_named(run.spec), options, run.file_name)
    return Line("kept", number, words, rows_at(Bucket.CHANGED))


def _not_taken(counts: dict[str, int]) -> Iterator[Line]:
    """The rows and cells of the file that nothing is taken from."""
    refused = counts.get("refused", 0)
    yield Line("refused", refused, f"{plural(refused, 'row is', 'rows are')} refused", rows_at(Bucket.REFUSED))
    disputed = counts.get("disputed", 0)
    words = f"of them {plural(disputed, 'is', 'are')} disputed: the keys name another object than the values do"
    yield Line("blocked", disputed, words, rows_at(Bucket.DISPUTED), part=True)
    cells = counts.get("cells_refused", 0)
    rest = plural(cells, "cell is refused, the rest of its row is", "cells are refused, the rest of their rows is")
    yield Line("refused", cells, f"{rest} taken", rows_at(Bucket.REFUSED))
    skipped = counts.get("skipped", 0)
    yield Line("already", skipped, f"{plural(skipped, 'row is', 'rows are')} left out")


def _moves(run: ImportRun) -> Line:
    figures = figures_of(run)
    number = figures.get("moved", 0)
    farthest = f", the farthest {in_words(figures.get('farthest_km', 0.0))}"
    return Line(
        "changed",
        number,
        f"of them {plural(number, 'moves', 'move')} 100 m or more{farthest}",
        rows_at(Bucket.MOVED),
        True,
    )


def rows_at(bucket: Bucket | None) -> str:
    """Return where the rows of a bucket are; nothing where they are in none."""
    return f"?bucket={bucket}#rows-title" if bucket else ""


def _links(run: ImportRun, counts: dict[str, int]) -> Iterator[Line]:
    """What follows from the rows: objects that are made to be linked to, and links."""
    linker = spec_named(run.spec).linker
    # What a check lists under the name of a count stands on the page under that name.
    listed = {name for check in ((run.summary or {}).get("checks") or {}).values() for name in check}
    models = {str(model._meta.verbose_name_plural): model for model in (linker.models if linker else ())}
    # PostgreSQL gives the counts back in another order than they were written in: here links, then what is made.
    for name, number in sorted(counts.items(), reverse=True):
        if not isinstance(number, int):
            continue
        if name.endswith("_created"):
            target = name.removesuffix("_created").replace("_", " ")
            noun = plural(number, models[target]) if target in models else target
            yield Line("created", number, f"{noun} will be added, to link to", f"#{name}" if name in listed else "")
        elif name.endswith("_links"):
            target = name.removesuffix("_links").replace("_", " ")
            url = f"?bucket={Bucket.WRITTEN}&link={target.replace(' ', '_')}#rows-title"
            yield Line("changed", number, f"{plural(number, 'link')} to a {target} will be made", url)


def chips(counts: dict[Bucket, int]) -> Iterator[tuple[Bucket, str, str, int]]:
    """Yield the buckets that have rows with sign, word and number."""
    for bucket, sign, word in CHIPS:
        if counts.get(bucket):
            yield bucket, sign, word, counts[bucket]


def first_bucket(counts: dict[Bucket, Any]) -> Bucket:
    """Return the bucket that is shown when none is asked for."""
    return next((bucket for bucket in FIRST if counts.get(bucket)), Bucket.CHANGED)


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
