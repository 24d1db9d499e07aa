"""The parts of a run, in their order."""

from collections.abc import Callable

from benchmarks.backups import measure_backups
from benchmarks.bulk import measure_bulk
from benchmarks.commands import measure_commands, measure_edit, measure_import, measure_update
from benchmarks.growth import measure_growth, measure_history
from benchmarks.load import measure_load
from benchmarks.pages import measure_pages
from benchmarks.peers.measuring import measure_peers
from benchmarks.run import Run
from benchmarks.worker import measure_memory, measure_plan

PARTS: dict[str, Callable[[Run], None]] = {
    "import": measure_import,
    "update": measure_update,
    "plan": measure_plan,
    "edit": measure_edit,
    "bulk": measure_bulk,
    "commands": measure_commands,
    "pages": measure_pages,
    "backups": measure_backups,
    "memory": measure_memory,
    "growth": measure_growth,
    "history": measure_history,
    "load": measure_load,
    "peers": measure_peers,
}
# What takes more than some minutes is measured when it is asked for; what was measured of it already is kept.
SLOW = ("peers",)
# Of these, only what is measured anew is forgotten.
RESUMED = ("peers", "growth")
