"""The rows of a file that were refused, read again as they are in it, to mend and upload once more."""

from collections.abc import Collection, Iterator

from apps.imports.reading.rows import Reading, read
from apps.imports.reading.sources import SourceFile


def rows_at(source: SourceFile, how: Reading, lines: Collection[int]) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that begin on `lines`, in the order of the file, each with its line."""
    wanted = set(lines)
    if not wanted:
        return
    last = max(wanted)
    for chunk in read(source, how).chunks:
        for line, row in zip(chunk.lines, chunk.rows, strict=True):
            if line in wanted:
                yield line, row
        if chunk.lines[-1] >= last:
            return
