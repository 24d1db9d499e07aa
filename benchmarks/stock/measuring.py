"""Stock import-export and simple-history on a sample of the same file."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Measurement, make_empty, run_child

_WHOLE = 10**9


def measure_stock(
    url: str, *, source: Path, update: Path | None, sample: int, scratch: Path
) -> Iterator[tuple[str, Measurement, int]]:
    """Yield name, measurement and number of rows of each step; the first step has none: it is the start-up."""
    sources = [str(path) for path in (source, update) if path]
    files = run_child(["-m", "benchmarks.stock.sampling", str(scratch), str(sample), *sources], url=url).printed
    make_empty(url)
    stock = ["-m", "benchmarks.stock", url]
    run_child([*stock, "migrate"], url=url)
    for name, how, file in (
        ("start-up", "default", "empty"),
        ("start-up of a preview", "preview", "empty"),
        ("first import", "default", "first"),
        ("re-import unchanged", "default", "first"),
        ("re-import unchanged, best configuration", "best", "first"),
        ("preview of the update", "preview", "update"),
        ("update 2022 -> 2026", "default", "update"),
    ):
        if file in files:
            path, rows = files[file]
            yield name, run_child([*stock, how, path], url=url), rows


def measure_whole_preview(url: str, *, source: Path, update: Path, scratch: Path) -> Measurement:
    """Return the measurement of the preview of the whole update, after the whole first file was imported."""
    folder = scratch / "whole"
    folder.mkdir(exist_ok=True)
    sampling = ["-m", "benchmarks.stock.sampling", str(folder), str(_WHOLE), str(source), str(update)]
    files = run_child(sampling, url=url).printed
    make_empty(url)
    stock = ["-m", "benchmarks.stock", url]
    run_child([*stock, "migrate"], url=url)
    run_child([*stock, "default", files["first"][0]], url=url)
    return run_child([*stock, "preview", files["update"][0]], url=url)
