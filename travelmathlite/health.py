"""How the console is: a sentence about each part that it needs, without a name, path or version in it."""

import logging
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.timesince import timesince

from apps.backups.catalogue.folder import backup_folder
from apps.backups.catalogue.manifests import Backup, newest_verified
from apps.backups.catalogue.offsite import newest_verified_elsewhere
from apps.changesets.errors import BoardUnavailable, RecordingNotInstalled
from apps.changesets.processes.failures import FAILURES, Cause, cause_of, refusal_of, words_of
from apps.changesets.processes.locking import PagePatience
from apps.changesets.processes.pooling import shares_sessions
from apps.changesets.recording import require_recording
from apps.changesets.recording.audit import noted_drift
from apps.changesets.text import counted, plural
from apps.imports.runs.lease import dead_runs
from apps.imports.runs.workers import SILENT_SECONDS, worker_heard_of
from apps.imports.tasks import lost_runs

BACKUP_AGE = timedelta(days=1)
# So long a look waits for others who write.
PATIENCE_SECONDS = 2
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """Whether a part is as it should be, and how it is, in one sentence that says what to do."""

    ok: bool
    message: str


_NOT_KNOWN = Part(False, "Not known.")


def look_at_parts(*names: str) -> dict[str, Part]:
    """Return how the database and these parts are, all without names; a few short queries, and never an error."""
    patience = PagePatience(PATIENCE_SECONDS)
    looks = {name: _LOOKS[name] for name in names or _LOOKS}
    try:
        with connections[DEFAULT_DB_ALIAS].execute_wrapper(patience):
            return {"database": _database()} | {name: _look(name, look) for name, look in looks.items()}
    except FAILURES as error:
        return {"database": _failed(error)} | dict.fromkeys(looks, _NOT_KNOWN)
    finally:
        patience.give_back()


def as_json(parts: dict[str, Part]) -> dict[str, Any]:
    """Return the parts as the answer of /readyz and of `health --json`."""
    return {"ok": all(part.ok for part in parts.values()), **{name: asdict(part) for name, part in parts.items()}}


def is_late(backup: Backup) -> bool:
    """Whether a backup is too old to rely on."""
    return timezone.now() - backup.created_at > BACKUP_AGE


def _look(name: str, look: Callable[[], Part]) -> Part:
    """Return how one part is; what goes wrong in looking is for the log, since strangers read the answer."""
    try:
        return look()
    except FAILURES:
        raise
    except BoardUnavailable as error:
        logger.error("How the %s is, is not told: %s", name, error)
        return Part(False, "The shared cache does not answer: check Redis (CACHE_URL), or the disk of VAR_DIR.")
    except Exception:
        logger.exception("How the %s is cannot be seen", name)
        return Part(False, "Not known: the log says why.")


def _database() -> Part:
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT 1")
    if shares_sessions(DEFAULT_DB_ALIAS):
        set_it = "set `pool_mode = session` in PgBouncer, or name PostgreSQL itself in DATABASE_URL"
        return Part(False, f"A pooler gives each transaction another session of the database: {set_it}.")
    return Part(True, "The database answers.")


def _failed(error: BaseException) -> Part:
    cause = cause_of(refusal_of(error))
    logger.warning("The database does not answer as it should (%s): %s", cause, words_of(error))
    if cause == Cause.FULL:
        return Part(False, "The database has no room left: make room on its disk.")
    if cause == Cause.NOT_MIGRATED:
        return Part(False, "The database lacks tables of the console: run `python manage.py migrate`.")
    return Part(False, "The database does not answer: the log says why.")


def _recording() -> Part:
    try:
        require_recording()
    except RecordingNotInstalled:
        repair = "run `python manage.py migrate`, then `python manage.py audit_history --repair`"
        return Part(False, f"The database does not record every change: {repair}.")
    return Part(True, "The database records every change.")


def _worker() -> Part:
    seconds = worker_heard_of()
    if seconds is not None and seconds < SILENT_SECONDS:
        return Part(True, f"A worker was heard of {counted(int(seconds), 'second')} ago.")
    return Part(False, "No worker is running, so large imports wait: start `python manage.py db_worker`.")


def _backup() -> Part:
    backup = newest_verified()
    if backup is None or is_late(backup):
        # Another machine may have made and proved one.
        backup = newest_verified_elsewhere() or backup
    make = "run `python manage.py backup create`, then `python manage.py backup verify --latest`"
    if backup is None:
        return Part(False, f"There is no verified backup: {make}.")
    age = timesince(backup.created_at).replace("\xa0", " ")
    if is_late(backup):
        return Part(False, f"The newest verified backup is {age} old: {make}.")
    return Part(True, f"The newest verified backup is {age} old.")


def _drift() -> Part:
    noted = noted_drift()
    if noted is None:
        return Part(True, "History was not checked yet: run `python manage.py audit_history`.")
    looked = f"checked at {timezone.localtime(noted.at):%H:%M on %Y-%m-%d}"
    if noted.drift:
        differ = f"{counted(noted.drift, 'object')} {plural(noted.drift, 'differs', 'differ')} from history"
        return Part(False, f"{differ}, {looked}: run `python manage.py audit_history --repair`.")
    return Part(True, f"History is complete, {looked}.")


def _disk() -> Part:
    free = min(shutil.disk_usage(folder).free for folder in _folders())
    words = f"{filesizeformat(free)} free where the console writes".replace("\xa0", " ")
    if free < settings.HEALTH_FREE_BYTES:
        return Part(False, f"The disk has only {words}: make room, or remove old backups.")
    return Part(True, f"The disk has {words}.")


def _folders() -> list[Path]:
    """Return the folders that the console writes to, or what is there of the way to them."""
    database = connections[DEFAULT_DB_ALIAS]
    folders = [Path(settings.VAR_DIR), backup_folder()]
    folders += [Path(database.settings_dict["NAME"]).resolve().parent] if database.vendor == "sqlite" else []
    return [next(parent for parent in (folder, *folder.parents) if parent.exists()) for folder in folders]


def _runs() -> Part:
    to_plan, to_apply = lost_runs()
    lost = len(dead_runs()) + len(to_plan) + len(to_apply)
    if lost:
        words = f"{counted(lost, 'import')} {plural(lost, 'has', 'have')} lost {plural(lost, 'its', 'their')} worker"
        return Part(False, f"{words}: a worker that starts sees after this (`python manage.py db_worker`).")
    return Part(True, "No import has lost its worker.")


_LOOKS: dict[str, Callable[[], Part]] = {
    "recording": _recording,
    "worker": _worker,
    "backup": _backup,
    "drift": _drift,
    "disk": _disk,
    "runs": _runs,
}
