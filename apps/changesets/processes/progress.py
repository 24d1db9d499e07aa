"""Telling other processes how far work is and that it lives: in a cache that they share, never in the database.

On SQLite whoever writes locks all others out, other threads of the same process included, and a restore replaces every
table.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256

from django.core.cache import BaseCache, caches
from django.db import connections

# Is told of a phase, and how much of it is done.
Progress = Callable[[str, int], None]


def quiet(phase: str, done: int) -> None:
    """Take progress that nobody watches."""


def board() -> BaseCache:
    """Return the cache that all processes share."""
    return caches["progress"]


def entry(*names: object) -> str:
    """Return the key of an entry; two databases that share the cache have work of the same names."""
    its = connections["default"].settings_dict
    database = sha256("|".join(str(its[name]) for name in ("HOST", "PORT", "NAME")).encode()).hexdigest()[:12]
    return "-".join(map(str, (database, *names)))


@contextmanager
def beating(beat: Callable[[], None], *, every: float, name: str, at_once: bool = True) -> Iterator[None]:
    """Call `beat` now, and again and again for the length of the block from a thread.

    One that touches the database is not called `at_once`, and closes what it opened there.
    """
    over = threading.Event()

    def keep_beating() -> None:
        while not over.wait(every):
            beat()

    if at_once:
        beat()
    thread = threading.Thread(target=keep_beating, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
