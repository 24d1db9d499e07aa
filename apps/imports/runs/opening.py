"""Opening a run: an uploaded file is looked at and kept; nothing is compared yet."""

from dataclasses import asdict
from typing import Any

from apps.imports.models import ImportRun
from apps.imports.reading import Reading, read
from apps.imports.results import ImportOptions
from apps.imports.runs.files import keep_file
from apps.imports.sources import SourceFile
from apps.imports.spec import ImportSpec


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

    `lock` is a name that only one run may hold until it ends. Nothing is kept when the file is refused.
    """
    raw = read(source, how)
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
        options=options.as_json(),
        lock=lock,
    )
