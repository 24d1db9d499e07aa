"""The commands as a person runs them, beside the floor: one process each, start-up included."""

from benchmarks.edit import FEW_SAVES, SAVES
from benchmarks.floor import drop_triggers
from benchmarks.measure import MANAGE, run_child
from benchmarks.run import IMPORT, ROLLBACK, SETTINGS, Run

FLOOR = ["-m", "benchmarks.floor"]
# Django's own start, with the packages of the console and without its apps; and with its apps.
PACKAGES_ONLY = """
from benchmarks.console_settings import *
INSTALLED_APPS = [app for app in INSTALLED_APPS if not app.startswith(("apps.", "travelmathlite"))]
"""
STARTS = {
    "python alone": ["-c", "pass"],
    "django.setup() with the packages": ["-c", "import django; django.setup()"],
    "django.setup() with the console": ["-c", "import django; django.setup()"],
    "changesets list": [*MANAGE, "changesets", "list", "--json", "--limit", "1"],
    "imports status": [*MANAGE, "imports", "status", "--json"],
    "backup list": [*MANAGE, "backup", "list", "--json"],
}


def measure_import(run: Run) -> None:
    """Note the first import beside the floor with history and without, its revert and the redo."""
    for _ in range(run.rounds):
        for name, how in (("floor with history", "load"), ("floor without history", "load-unversioned")):
            drop_triggers(run.take("migrated"))
            run.child(name, [*FLOOR, run.url, how, str(run.first)])
        run.take("migrated")
        run.child("first import", [*IMPORT, str(run.first)])
        reverted = run.child("revert of the first import", ROLLBACK)
        run.child("redo", [*ROLLBACK, "--changeset", str(reverted.printed["revert"])])


def measure_update(run: Run) -> None:
    """Note the update to a newer snapshot beside a floor of its own, its repetition and its revert."""
    if run.update is None:
        run.say("is left out: there is no newer snapshot")
        return
    for _ in range(run.rounds):
        for name, how in (("floor of the update", "update"), ("floor without history", "update-unversioned")):
            run.take("floored")
            run.child(name, [*FLOOR, run.url, how, str(run.update)])
        run.take("first")
        run.child("update", [*IMPORT, str(run.update)])
        run.child("re-import unchanged", [*IMPORT, str(run.update)])
        run.child("re-import known to be unchanged", [*IMPORT, str(run.update)])
        reverted = run.child("revert of the update", ROLLBACK)
        run.child("redo of the update", [*ROLLBACK, "--changeset", str(reverted.printed["revert"])])


def measure_commands(run: Run) -> None:
    """Note what a start costs, and the commands that look at everything."""
    settings = run.scratch / "packages_only.py"
    settings.write_text(PACKAGES_ONLY, encoding="utf-8")
    run.take("updated")
    for _ in range(run.rounds):
        for name, arguments in STARTS.items():
            module = "packages_only" if "packages" in name else "benchmarks.console_settings"
            env = {"DJANGO_SETTINGS_MODULE": module, "PYTHONPATH": f"{run.scratch}:."}
            run.child(name, arguments, env=env)
        for command in ("validate_airports", "audit_history"):
            run.child(command, [*MANAGE, command, "--json", SETTINGS])


def measure_edit(run: Run) -> None:
    """Note a save in the admin, a recorded save, and the same save on tables without triggers."""
    run.take("updated")
    saves = str(FEW_SAVES if run.quick else SAVES)
    recorded = run_child(["-m", "benchmarks.edit", str(run.scratch), "recorded", saves], url=run.url).printed
    drop_triggers(run.url)
    bare = run_child(["-m", "benchmarks.edit", str(run.scratch), "unrecorded", saves], url=run.url).printed
    for name, figure in {**recorded, **bare}.items():
        run.add(name, figure)
