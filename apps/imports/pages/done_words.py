"""What an import did, in sentences: the counts of what was written, not of what was planned, and how long it took."""

from collections.abc import Iterator
from dataclasses import replace

from apps.changesets.acts.lines import Line
from apps.changesets.text import counted, plural
from apps.imports.models import ImportRun
from apps.imports.pages.plan_words import MISSING_SIGNS, rows_at
from apps.imports.plan.correction_count import words_of_corrections
from apps.imports.registry import spec_named
from apps.imports.results import ImportOptions
from apps.imports.runs.rows import Bucket

# count: its sign, the words for one and for several, and the bucket of its rows.
_ROWS: dict[str, tuple[str, str, str, Bucket]] = {
    "unchanged": ("already", "row said what was here already", "rows said what was here already", Bucket.UNCHANGED),
    "refused": ("refused", "row was refused", "rows were refused", Bucket.REFUSED),
    "cells_refused": (
        "refused",
        "cell was refused, the rest of its row was taken",
        "cells were refused, the rest of their rows was taken",
        Bucket.REFUSED,
    ),
    "left_alone": (
        "blocked",
        "row was skipped, since its object changed after the plan was made, or something blocked it",
        "rows were skipped, since their objects changed after the plan was made, or something blocked them",
        Bucket.LEFT_ALONE,
    ),
}
_MISSING = {
    "report": ("stayed as it was", "stayed as they were"),
    "deactivate": ("was deactivated", "were deactivated"),
    "delete": ("was deleted", "were deleted"),
}


def done_lines(run: ImportRun, *, changes_url: str) -> list[Line]:
    """Return what an applied import did; `changes_url` is the page of its changeset, empty where it is not shown.

    A command stores no rows of its plan: nothing leads to them.
    """
    lines = [line for line in _lines(run, counts_done(run), changes_url) if line.number]
    return [replace(line, url="") if run.command and line.url.startswith("?") else line for line in lines]


def counts_done(run: ImportRun) -> dict[str, int]:
    """Return the counts of what was written: those of the changeset, which knows which rows were skipped."""
    done: dict[str, int] = ((run.changeset.summary if run.changeset else None) or {}).get("counts") or run.counts or {}
    return {**done, "left_alone": (run.counts or {}).get("left_alone", 0)}


def duration_of(run: ImportRun) -> str:
    """Return how long it took from its start to its end, empty where that is not known."""
    if run.started_at is None or run.finished_at is None:
        return ""
    seconds = (run.finished_at - run.started_at).total_seconds()
    return f"{seconds:.1f} s" if seconds < 100 else counted(round(seconds / 60), "minute")


def _lines(run: ImportRun, counts: dict[str, int], changes_url: str) -> Iterator[Line]:
    spec, options = spec_named(run.spec), ImportOptions.from_json(run.options)
    meta, key = spec.model._meta, spec.model._meta.pk.verbose_name

    def changes(model_label: str, operation: str) -> str:
        return f"{changes_url}?model={model_label}&op={operation}#changes-title" if changes_url else ""

    def objects(sign: str, count: str, singular: str, plural_form: str, url: str, *, part: bool = False) -> Line:
        number = counts.get(count, 0)
        noun = "of them" if part else plural(number, meta)
        return Line(sign, number, f"{noun} {plural(number, singular, plural_form)}", url, part)

    yield objects("created", "created", "was added", "were added", changes(meta.label_lower, "created"))
    yield objects("changed", "updated", "was changed", "were changed", changes(meta.label_lower, "changed"))
    renamed = changes(meta.label_lower, "renamed")
    yield objects("renamed", "renamed", f"got another {key}", f"got another {key}", renamed, part=True)
    yield objects("kept", "kept", "kept a correction", "kept corrections", rows_at(Bucket.KEPT))
    corrections = counts.get("corrections", 0)
    yield Line("kept", corrections, words_of_corrections(corrections, spec, options, run.file_name, done=True))
    yield objects("missing", "missing", "was not in the file", "were not in the file", rows_at(Bucket.MISSING))
    superseded = f"was deleted, since another one got its {key}", f"were deleted, since others got their {key}"
    yield objects("deleted", "superseded", *superseded, rows_at(Bucket.SUPERSEDED), part=True)
    only_missing = counts.get("missing", 0) - counts.get("superseded", 0)
    stayed = f"of them {plural(only_missing, *_MISSING[options.missing])}"
    yield Line(MISSING_SIGNS[options.missing], only_missing, stayed, part=True)
    for count, (sign, singular, plural_form, bucket) in _ROWS.items():
        number = counts.get(count, 0)
        yield Line(sign, number, plural(number, singular, plural_form), rows_at(bucket))
    left_out = counts.get("skipped", 0) - counts["left_alone"]
    yield Line("already", max(left_out, 0), f"{plural(left_out, 'row was', 'rows were')} left out")
    for model in spec.linker.models if spec.linker else ():
        number = counts.get(f"{model._meta.verbose_name_plural}_created".replace(" ", "_"), 0)
        words = f"{plural(number, model)} {plural(number, 'was', 'were')} added, to link to"
        yield Line("created", number, words, changes(model._meta.label_lower, "created"))
    for link in spec.linker.links if spec.linker else ():
        number = counts.get(link.counted_as, 0)
        url = f"{changes_url}?model={meta.label_lower}&field={link.field}#changes-title" if changes_url else ""
        yield Line(
            "changed", number, f"{plural(number, 'link')} to a {link.field} {plural(number, 'was', 'were')} made", url
        )
