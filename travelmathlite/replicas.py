"""Which replicas can be read from now: those that answer, and that have what the primary had a while ago."""

import logging
import threading
import time
from dataclasses import dataclass, field

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connections

PREFIX = "replica"
# How long an answer about a replica holds, and for how long one that failed is left out.
CHECK_SECONDS = 5
OUT_SECONDS = 15
logger = logging.getLogger(__name__)
# The place in the log of the primary, and how far a replica has replayed it: nothing where it replays none.
_WRITTEN = "SELECT pg_current_wal_lsn()"
_REPLAYED = "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() >= %s::pg_lsn END"


@dataclass
class _State:
    """What is known of a replica: until when that holds, whether it is left out, and what it was behind of."""

    until: float = 0
    out: bool = False
    # The oldest place in the primary's log that it had not reached, and when that was seen.
    behind: tuple[float, str] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


_states: dict[str, _State] = {}


def replicas() -> list[str]:
    """Return the aliases of the replicas."""
    return [alias for alias in connections if alias.startswith(PREFIX)]


def usable_replicas(after: str = "") -> list[str]:
    """Return the aliases of the replicas that may be read from now, and that have replayed the log `after` a write."""
    return [alias for alias in replicas() if _is_usable(alias) and (not after or _has_replayed(alias, after))]


def place_written() -> str:
    """Return the place in the log of the primary after what is committed now; nothing where there is no log."""
    try:
        return str(_ask(DEFAULT_DB_ALIAS, _WRITTEN)) if _follows_a_log(DEFAULT_DB_ALIAS) else ""
    except (DatabaseError, InterfaceError):
        return ""


def leave_out(alias: str, why: object) -> None:
    """Read nothing from a replica for some seconds."""
    state = _states.setdefault(alias, _State())
    if not state.out:
        logger.warning("Nothing is read from %s for now: %s", alias, " ".join(str(why).split()))
    state.out, state.until = True, time.monotonic() + OUT_SECONDS


def forget_replicas() -> None:
    """Forget what is known of all replicas."""
    _states.clear()


def _is_usable(alias: str) -> bool:
    state = _states.setdefault(alias, _State())
    # While one thread asks, the others go by the last answer.
    if time.monotonic() < state.until or not state.lock.acquire(blocking=False):
        return not state.out
    try:
        behind = _seconds_behind(alias, state)
    except (DatabaseError, InterfaceError) as error:
        connections[alias].close()
        leave_out(alias, error)
    else:
        if behind > settings.REPLICA_LAG_SECONDS:
            leave_out(alias, f"it is more than {settings.REPLICA_LAG_SECONDS} seconds behind.")
        else:
            state.out, state.until = False, time.monotonic() + CHECK_SECONDS
    finally:
        state.lock.release()
    return not state.out


def _seconds_behind(alias: str, state: _State) -> float:
    """Return for how long the replica has lacked something that the primary had."""
    if not _follows_a_log(alias):
        return 0
    now = time.monotonic()
    if state.behind is None or _has_reached(alias, state.behind[1]):
        place = str(_ask(DEFAULT_DB_ALIAS, _WRITTEN))
        state.behind = None if _has_reached(alias, place) else (now, place)
    return now - state.behind[0] if state.behind else 0


def _has_replayed(alias: str, place: str) -> bool:
    try:
        return _follows_a_log(alias) and _ask(alias, _REPLAYED, place) is True
    except (DatabaseError, InterfaceError) as error:
        connections[alias].close()
        leave_out(alias, error)
        return False


def _follows_a_log(alias: str) -> bool:
    return connections[alias].vendor == "postgresql"


def _has_reached(alias: str, place: str) -> bool:
    return _ask(alias, _REPLAYED, place) is not False


def _ask(alias: str, question: str, *params: str) -> object:
    with connections[alias].cursor() as cursor:
        cursor.execute(question, params or None)
        return cursor.fetchone()[0]
