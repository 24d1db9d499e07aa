"""What an import says to a person on a terminal."""

from collections.abc import Iterator, Sequence
from typing import TextIO

from apps.imports.results import Progress
from apps.imports.runs.engine import Finished

_SHOWN = 10


def progress_on(stream: TextIO) -> Progress | None:
    """Return a progress line for a terminal, or None where nobody looks."""
    if not stream.isatty():
        return None

    def show(stage: str, rows: int) -> None:
        stream.write("\r\x1b[K" if stage == "done" else f"\r{stage} {rows:,} rows")
        stream.flush()

    return show


def lines_for_people(finished: Finished, *, dry_run: bool) -> Iterator[str]:
    """Yield what happened, what was refused and why, and what to do next."""
    plan, counts, opened = finished.plan, finished.counts, finished.changeset
    yield f"{plan.file.name} ({plan.file.sha256[:12]}, {plan.file.size:,} bytes)"
    width = max(len(name) for name in counts)
    for name, number in counts.items():
        yield f"  {name.replace('_', ' '):<{width}}  {number:>9,}"
    yield from _some("Refused", plan.refusals, counts["refused"])
    kept = [f"{k.object_id} {k.field}: ours {k.current!r}, theirs {k.new!r}" for k in plan.kept]
    yield from _some("Kept, since somebody corrected them here", kept, len(kept))
    replaced = [
        f"{s.object_id} (id {s.source_id}) gives way to id {s.new_source_id}, line {s.line}"
        + (", and its corrections go with it" if s.corrected else "")
        for s in plan.superseded
    ]
    yield from _some("Superseded: gone from the file, their key given to another", replaced, counts["superseded"])
    skipped = counts.get("left_alone", 0)
    yield from _some("Skipped, since something changed after the plan was made", finished.left_alone, skipped)
    yield from plan.beyond_limits
    if dry_run:
        yield "Dry run: nothing was written. Leave out --dry-run to import."
    elif opened is None:
        yield "Nothing to change."
    else:
        yield f"Changeset {opened.pk}. Undo it: manage.py changesets revert {opened.pk}"


def _some(title: str, items: Sequence[object], total: int) -> Iterator[str]:
    if items:
        yield f"{title}:"
        yield from (f"  {item}" for item in items[:_SHOWN])
        if total > _SHOWN:
            yield f"  ... and {total - min(_SHOWN, len(items)):,} more"
