"""Backups of the full database beside what the databases' own programs take, and an import that is backed up meanwhile.

`python -m benchmarks.backups VERB FOLDER` is one step, in a process of its own; it prints its seconds as JSON.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import ROOT, Measurement, make_empty, run_child, sqlite_path

MANAGE = ["manage.py"]
STEPS = ("bare", "create", "verify", "restore")


def measure_backups(
    url: str, *, first: Path, update: Path, scratch: Path, rounds: int
) -> Iterator[tuple[str, Measurement]]:
    """Yield the name and the measurement of each step; `first` and `update` are imported before the clock starts."""
    make_empty(url)
    run_child([*MANAGE, "migrate", "--verbosity", "0"], url=url)
    run_child([*MANAGE, "import_airports", "--json", "--file", str(first)], url=url)
    before = scratch / "before-update.sqlite3"
    if url.startswith("sqlite"):
        run_child(["-m", "benchmarks.backups", "bare", str(before)], url=url)
    run_child([*MANAGE, "import_airports", "--json", "--file", str(update)], url=url)
    for _ in range(rounds):
        for step in STEPS:
            yield step, run_child(["-m", "benchmarks.backups", step, str(scratch / "bare")], url=url)
        if url.startswith("sqlite"):
            for name, meanwhile in (("import", False), ("import, backed up meanwhile", True)):
                shutil.copy(before, scratch / "again.sqlite3")
                yield name, _import(f"sqlite:///{scratch / 'again.sqlite3'}", update, meanwhile=meanwhile)


def backup_table_of(database: str, measured: dict[str, list[Measurement]]) -> str:
    """Return the medians as a Markdown table; nothing when nothing was measured."""
    if not measured:
        return ""
    seconds = {name: sorted(m.printed["seconds"] for m in runs)[len(runs) // 2] for name, runs in measured.items()}
    against = {"create": "bare", "import, backed up meanwhile": "import"}
    goal = {"SQLite": "2 x", "PostgreSQL": "1.2 x"}[database]
    bare = {"SQLite": "sqlite3 .backup", "PostgreSQL": "pg_dump -Fc"}[database]
    lines = [
        f"| backups, {database} (goals: create <= {goal} {bare}, import <= 1.2 x) | seconds | peak memory | ratio |",
        "|---|---:|---:|---:|",
    ]
    for name, taken in seconds.items():
        peak = max(m.peak_mb for m in measured[name])
        ratio = f"{taken / seconds[against[name]]:.2f} x" if name in against else ""
        lines.append(f"| {bare if name == 'bare' else name} | {taken:.2f} s | {peak:.0f} MB | {ratio} |")
    return "\n".join(lines) + "\n"


def _import(url: str, update: Path, *, meanwhile: bool) -> Measurement:
    command = [sys.executable, "-m", "benchmarks.backups", "create", "-"]
    backup = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "DATABASE_URL": url}) if meanwhile else None
    # Without the backup that an import begins with, which would be a second one.
    command = [*MANAGE, "import_airports", "--json", "--file", str(update), "--settings=benchmarks.console_settings"]
    measured = run_child(command, url=url)
    if backup is not None:
        backup.wait()
    return Measurement(measured.seconds, measured.peak_mb, {"seconds": measured.seconds}, measured.cpu_seconds)


def _bare(url: str, target: str) -> None:
    Path(target).unlink(missing_ok=True)
    if url.startswith("sqlite"):
        subprocess.run(["sqlite3", sqlite_path(url), f".backup {target}"], check=True)
    else:
        subprocess.run(["pg_dump", "--format=custom", f"--file={target}", url], check=True)


def main() -> None:
    """Do one step, and print how long it took without the start of Python and Django."""
    verb, target = sys.argv[1:]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "travelmathlite.settings")
    import django

    django.setup()
    from apps.backups.catalogue.manifests import newest_backup
    from apps.backups.creating import create_backup
    from apps.backups.restore.database import restore
    from apps.backups.restore.verify import verify

    newest = newest_backup()
    steps = {
        "bare": lambda: _bare(os.environ["DATABASE_URL"], target),
        "create": lambda: create_backup(actor=None, reason="benchmark"),
        "verify": lambda: verify(newest),
        "restore": lambda: restore(newest, actor=None),
    }
    started = time.perf_counter()
    steps[verb]()
    print(json.dumps({"seconds": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
