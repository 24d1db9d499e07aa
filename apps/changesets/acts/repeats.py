"""Double clicks: the second click leads to the result of the first, instead of being refused.

That an act is not applied twice is promised by the act itself, which compares what it saw under the lock.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from apps.changesets.acts.tokens import A_DAY
from apps.changesets.processes.progress import board, entry, where_the_board_can_be_used

BEGUN = ""
# A process that dies while it applies an act blocks others for no longer than this.
BEGUN_SECONDS = 60
# The second click waits this long for the first one.
PATIENCE_SECONDS = 20
_STEP_SECONDS = 0.05
_LOSS = "A second click waits for no first one."


class Turn:
    """One confirmation: `led_to` is the address that the same one led to before; `done` notes where this one leads."""

    def __init__(self, token: str, led_to: str = "") -> None:
        self.token = token
        self.led_to = led_to
        self.is_done = False

    def done(self, url: str) -> None:
        """Note that the act was applied, and the address that it led to."""
        self.is_done = True
        if self.token:
            with where_the_board_can_be_used(_LOSS):
                board().set(_key(self.token), url, A_DAY)


@contextmanager
def taking_turns(token: str) -> Iterator[Turn]:
    """Wait until nobody else has the turn of this token, then take it; an empty token needs no turn."""
    turn = Turn(token)
    with where_the_board_can_be_used(_LOSS):
        turn.led_to = _wait_for(token) if token else ""
    try:
        yield turn
    finally:
        if token and not (turn.is_done or turn.led_to):
            with where_the_board_can_be_used(_LOSS):
                board().delete(_key(token))


def _wait_for(token: str) -> str:
    """Take the turn; return the address that the one before led to, empty if it led nowhere."""
    cache, last = board(), time.monotonic() + PATIENCE_SECONDS
    while not cache.add(_key(token), BEGUN, BEGUN_SECONDS):
        if led_to := cache.get(_key(token)):
            return str(led_to)
        if time.monotonic() > last:
            return ""
        time.sleep(_STEP_SECONDS)
    return ""


def _key(token: str) -> str:
    return entry("act", sha256(token.encode()).hexdigest())
