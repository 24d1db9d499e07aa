"""Opening a run: an uploaded file is looked at and kept; nothing is compared yet."""

from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from typing import Any

from apps.imports.models import ImportRun
from apps.imports.reading.rows import RawChunk, Reading
from apps.imports.reading.sources import SourceFile
from apps.imports.registry import spec_named
from apps.imports.results import ImportOptions
from apps.imports.runs.files import keep_file, kept_file
from apps.imports.spec import ImportSpec

# What a person needs to tell which column is which.
SAMPLE_ROWS = 3
_SAMPLE_CHARACTERS = 60


def open_run(
    source: SourceFile,
    *,
    spec: ImportSpec,
    options: ImportOptions,
    actor: Any,
    reason: str,
    how: Reading | None = None,
    lock: str | None = None,
) -> ImportRun:
    """Keep the file, read its header, and return the run, uploaded; raises FileRefused when it cannot be read.

    `lock` is a name that only one run may hold until it ends; `how` is what the person knows about the file. Nothing
    is kept when the file is refused.
    """
    raw = spec.read(source, how)
    sample = list(islice(_rows(raw.chunks), SAMPLE_ROWS))
    return ImportRun.objects.create(
        spec=spec.name,
        actor=actor,
        actor_name=actor.get_username() if actor else "",
        reason=reason,
        file_name=source.identity.name,
        file_sha256=source.identity.sha256,
        file_size=source.identity.size,
        kept_as=keep_file(source),
        how=asdict(raw.how),
        header=raw.header,
        summary={"sample": sample},
        options=options.as_json(),
        lock=lock,
    )


def _rows(chunks: Iterator[RawChunk]) -> Iterator[list[str]]:
    for chunk in chunks:
        for row in chunk.rows:
            # PostgreSQL stores NUL nowhere.
            yield [cell[:_SAMPLE_CHARACTERS].replace("\x00", "\N{REPLACEMENT CHARACTER}") for cell in row]


def sample_of(run: ImportRun) -> list[list[str]]:
    """Return the first rows of the run's file, each cell cut short; raises FileIsGone or FileRefused."""
    summary = run.summary or {}
    if "sample" in summary:
        return summary["sample"]
    with kept_file(run) as source:
        return list(islice(_rows(spec_named(run.spec).read(source, Reading(**run.how)).chunks), SAMPLE_ROWS))
