"""Telling other processes how far work is and that it lives: in a cache that they share, never in the database.

On SQLite whoever writes locks all others out, other threads of the same process included, and a restore replaces every
table.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from typing import Any, cast

from django.core.cache import BaseCache, caches

from apps.changesets.errors import BoardUnavailable
from apps.changesets.identity import shared_name

logger = logging.getLogger(__name__)


class _Board:
    """The cache "progress"; whatever it fails with is BoardUnavailable, since each kind has errors of its own."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(self._ask, name)

    def _ask(self, name: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return getattr(caches["progress"], name)(*args, **kwargs)
        except Exception as error:
            raise BoardUnavailable(error) from error


# Is told of a phase, and how much of it is done.
Progress = Callable[[str, int], None]


def quiet(phase: str, done: int) -> None:
    """Take progress that nobody watches."""


def board() -> BaseCache:
    """Return the cache that all processes share; raises BoardUnavailable whenever it cannot be used."""
    return cast(BaseCache, _Board())


@contextmanager
def where_the_board_can_be_used(loss: str) -> Iterator[None]:
    """Go on without the board, on a full disk or when a shared cache is gone; the log says what is lost by that."""
    try:
        yield
    except BoardUnavailable as error:
        logger.warning("%s %s", loss, error)


def entry(*names: object) -> str:
    """Return the key of an entry; two databases that share the cache have work of the same names."""
    database = sha256(shared_name().encode()).hexdigest()[:12]
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
