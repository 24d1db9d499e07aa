"""Backups of the full database beside what the databases' own programs take, and an import that is backed up meanwhile.

`python -m benchmarks.backups VERB FOLDER` is one step, in a process of its own; it prints its seconds as JSON.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.measure import ROOT, Measurement, run_child, sqlite_path, timed
from benchmarks.run import IMPORT, Run

STEPS = ("bare", "create", "verify", "restore")


def measure_backups(run: Run) -> None:
    """Note each step on a database with both snapshots; on SQLite also an import that is backed up meanwhile."""
    run.take("updated")
    for step in STEPS:
        measured = run_child(["-m", "benchmarks.backups", step, str(run.scratch / "bare")], url=run.url)
        run.add(step, {**measured.as_dict(), **measured.printed})
    if run.database == "SQLite" and run.update:
        for name, meanwhile in (("import", False), ("import, backed up meanwhile", True)):
            run.add(name, _import(run.take("first"), run.update, meanwhile=meanwhile))


def _import(url: str, update: Path, *, meanwhile: bool) -> Measurement:
    command = [sys.executable, "-m", "benchmarks.backups", "create", "-"]
    env = {**os.environ, "DATABASE_URL": url}
    backup = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL) if meanwhile else None
    # Without the backup that an import begins with, which would be a second one.
    measured = run_child([*IMPORT, str(update)], url=url)
    if backup is not None:
        backup.wait()
    return measured


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
    print(json.dumps(timed(steps[verb], os.environ["DATABASE_URL"])[0]))


if __name__ == "__main__":
    main()
