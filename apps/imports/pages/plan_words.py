"""What a plan would do, in sentences: counts first, each with its sign and the way to its rows."""

from collections.abc import Iterator
from typing import Any

from django.urls import reverse

from apps.changesets.acts.lines import Line
from apps.changesets.models import Changeset, Kind
from apps.changesets.text import plural
from apps.imports.models import ImportRun
from apps.imports.registry import spec_named
from apps.imports.results import ImportOptions
from apps.imports.runs.rows import Bucket

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
    (Bucket.RENAMED, "renamed", "Renamed"),
    (Bucket.KEPT, "kept", "Kept corrections"),
    (Bucket.REFUSED, "refused", "Refused"),
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
            url = reverse("admin:imports_importrun_change", args=[summary["run"]]) + _rows_at(bucket)
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
        return Line(sign, number, f"{noun} {plural(number, singular, plural_form)}", _rows_at(bucket), part)

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
    key = str(meta.pk.verbose_name)
    yield line("renamed", "renamed", f"gets another {key}", f"get another {key}", Bucket.RENAMED, part=True)
    yield line("kept", "kept", "keeps a correction made here", "keep corrections made here", Bucket.KEPT)
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
        part=True,
    )
    yield line("already", "unchanged", "is as the file says already", "are as the file says already", Bucket.UNCHANGED)
    refused = counts.get("refused", 0)
    yield Line("refused", refused, f"{plural(refused, 'row is', 'rows are')} refused", _rows_at(Bucket.REFUSED))
    cells = counts.get("cells_refused", 0)
    rest = plural(cells, "cell is refused, the rest of its row is", "cells are refused, the rest of their rows is")
    yield Line("refused", cells, f"{rest} taken")
    skipped = counts.get("skipped", 0)
    yield Line("already", skipped, f"{plural(skipped, 'row is', 'rows are')} left out")
    yield from _links(run, counts)


def _rows_at(bucket: Bucket | None) -> str:
    """Return where the rows of a bucket are; nothing where they are in none."""
    return f"?bucket={bucket}#rows-title" if bucket else ""


def _links(run: ImportRun, counts: dict[str, int]) -> Iterator[Line]:
    """What follows from the rows: objects that are made to be linked to, and links."""
    linker = spec_named(run.spec).linker
    models = {str(model._meta.verbose_name_plural): model for model in (linker.models if linker else ())}
    # PostgreSQL gives the counts back in another order than they were written in: here links, then what is made.
    for name, number in sorted(counts.items(), reverse=True):
        if not isinstance(number, int):
            continue
        if name.endswith("_created"):
            target = name.removesuffix("_created").replace("_", " ")
            noun = plural(number, models[target]) if target in models else target
            yield Line("created", number, f"{noun} will be added, to link to")
        elif name.endswith("_links"):
            target = name.removesuffix("_links").replace("_", " ")
            yield Line("changed", number, f"{plural(number, 'link')} to a {target} will be made")


def chips(counts: dict[Bucket, int]) -> Iterator[tuple[Bucket, str, str, int]]:
    """Yield the buckets that have rows with sign, word and number."""
    for bucket, sign, word in CHIPS:
        if counts.get(bucket):
            yield bucket, sign, word, counts[bucket]


def first_bucket(counts: dict[Bucket, Any]) -> Bucket:
    """Return the bucket that is shown when none is asked for."""
    return next((bucket for bucket in FIRST if counts.get(bucket)), Bucket.CHANGED)
