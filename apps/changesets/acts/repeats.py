"""Double clicks: what one showing of a plan confirms is done once, and whoever confirms it again is led to what it did.

That the act is not done twice is promised by the acts themselves, which compare what they saw under the lock; here the
second click is led to the result instead of being refused.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from django.core.cache import caches

from apps.changesets.acts.tokens import A_DAY

BEGUN = ""
# A process that dies with the act in its hands is in nobody's way for longer.
BEGUN_SECONDS = 60
# So long the second click waits for the first one.
PATIENCE_SECONDS = 20
_STEP_SECONDS = 0.05


class Turn:
    """One confirmation: `led_to` is where the same one led before, if it did; `done` notes where this one leads."""

    def __init__(self, token: str, led_to: str = "") -> None:
        self.token = token
        self.led_to = led_to
        self.is_done = False

    def done(self, url: str) -> None:
        """Note that it was done, and where that led."""
        self.is_done = True
        if self.token:
            caches["progress"].set(_key(self.token), url, A_DAY)


@contextmanager
def taking_turns(token: str) -> Iterator[Turn]:
    """Lend the turn of a token, after the one that has it; an empty token is never the same as another."""
    turn = Turn(token, _wait_for(token) if token else "")
    try:
        yield turn
    finally:
        if token and not (turn.is_done or turn.led_to):
            caches["progress"].delete(_key(token))


def _wait_for(token: str) -> str:
    """Take the turn, or return where another one led that had it."""
    cache, last = caches["progress"], time.monotonic() + PATIENCE_SECONDS
    while not cache.add(_key(token), BEGUN, BEGUN_SECONDS):
        if led_to := cache.get(_key(token)):
            return str(led_to)
        if time.monotonic() > last:
            return ""
        time.sleep(_STEP_SECONDS)
    return ""


def _key(token: str) -> str:
    return f"act-{sha256(token.encode()).hexdigest()}"
