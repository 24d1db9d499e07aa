"""Packages of others on the whole files, once each, since they take minutes, and the console in the same run."""

import gzip
import os
import shutil
import subprocess
from pathlib import Path

from benchmarks.measure import ROOT, make_empty, run_child
from benchmarks.run import IMPORT, Run

ENVIRONMENT = ROOT / "var" / "peers"
# What a chain measures, in its order: how a step is called, and which file it gets. `console` is the console itself.
CHAINS: dict[str, tuple[str, tuple[tuple[str, str, str], ...]]] = {
    "console": (
        "",
        (
            ("console: first import", "", "first.gz"),
            ("console: update", "", "update.gz"),
            ("console: re-import unchanged", "", "update.gz"),
            ("console: re-import known to be unchanged", "", "update.gz"),
        ),
    ),
    "pghistory": (
        "pghistory",
        (
            ("django-pghistory: first import", "load-unversioned", "first.gz"),
            ("django-pghistory: update", "update-unversioned", "update.gz"),
        ),
    ),
    "bulk_create": ("simple_history", (("bulk_create_with_history: first import", "bulk_create", "first.gz"),)),
    "stock": (
        "simple_history",
        (
            ("stock: first import", "stock", "first"),
            ("stock: preview of the update", "preview", "update"),
            ("stock: update", "stock", "update"),
            ("stock, best configuration: re-import unchanged", "stock-best", "update"),
        ),
    ),
    "reversion": (
        "reversion",
        (
            ("django-reversion: first import", "reversion-load", "first.gz"),
            ("django-reversion: revert of the first import", "reversion-revert", "first.gz"),
        ),
    ),
    "update_or_create": (
        "simple_history",
        (
            ("update_or_create: first import", "update_or_create", "first.gz"),
            ("update_or_create: update", "update_or_create", "update.gz"),
        ),
    ),
}


def measure_peers(run: Run) -> None:
    """Note what each package takes, and the console beside them; a chain that was measured to its end is kept."""
    python = make_environment()
    files = {"first.gz": run.first, **({"update.gz": run.update} if run.update else {})}
    files |= {name.removesuffix(".gz"): unpack(path, run.scratch) for name, path in list(files.items())}
    for chain, (package, steps) in CHAINS.items():
        wanted = [step for step in steps if step[2] in files]
        if chain == "pghistory" and run.database != "PostgreSQL":
            continue
        if all(name in run.figures.names for name, _, _ in wanted):
            run.say(f"            {chain} is kept as it was measured")
            continue
        for name, _, _ in wanted:
            run.figures.forget(name)
        peer = _begin(run, python, package)
        for name, step, file in wanted:
            _measure(run, peer, python, name, step, files[file])


def _begin(run: Run, python: str, package: str) -> list[str]:
    """Make the tables anew; return how the steps of the package are called."""
    if not package:
        run.take("migrated")
        return []
    peer = ["-m", "benchmarks.peers", run.url, package]
    make_empty(run.url)
    run_child([*peer, "migrate"], url=run.url, python=python)
    return peer


def _measure(run: Run, peer: list[str], python: str, name: str, step: str, file: Path) -> None:
    if not step:
        run.child(name, [*IMPORT, str(file)])
    elif step.endswith("unversioned"):
        # It brings no import of its own: the floor's statements on tables with its triggers.
        run.child(name, ["-m", "benchmarks.floor", run.url, step, str(file)])
    else:
        run.child(name, [*peer, step, str(file)], python=python)
    if peer:
        run.say(f"            {run_child([*peer, 'count', '-'], url=run.url, python=python).printed}")


def make_environment() -> str:
    """Make the environment with the packages of the group `peers`; return its Python."""
    uv = shutil.which("uv")
    if uv is None:
        raise SystemExit("The part peers needs uv, which makes the environment of the packages of others.")
    command = [uv, "sync", "--quiet", "--group", "peers", "--compile-bytecode"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "UV_PROJECT_ENVIRONMENT": str(ENVIRONMENT)}, check=True)
    return str(ENVIRONMENT / "bin" / "python")


def unpack(packed: Path, folder: Path) -> Path:
    """Write a packed file as it was."""
    target = folder / packed.name.removesuffix(".gz")
    with gzip.open(packed, "rb") as stream, target.open("wb") as out:
        shutil.copyfileobj(stream, out)
    return target
