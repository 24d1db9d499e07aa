"""Talking to other servers: the tries that it takes, and what went wrong in words."""

import time
import urllib.error
from collections.abc import Callable
from http.client import HTTPException

TIMEOUT_SECONDS = 30
ATTEMPTS = 3
# What a request may fail with.
FAILURES = (OSError, HTTPException, ValueError)


def tried(request: Callable[[], None], *, wait: Callable[[float], None] = time.sleep) -> None:
    """Make a request, up to three times with growing waits between; raises what the last one failed with.

    What will not get better by waiting, such as a server that does not know the address, is tried once.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            request()
            return
        except FAILURES as error:
            if isinstance(error, urllib.error.HTTPError):
                # It is an answer, too, and holds a socket.
                error.close()
            if attempt == ATTEMPTS or _is_final(error):
                raise
        wait(2.0 ** (attempt - 1))


def reason_of(error: Exception) -> str:
    """Return why a request failed."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}"
    return str(getattr(error, "reason", "") or error)


def _is_final(error: Exception) -> bool:
    if isinstance(error, urllib.error.HTTPError):
        return 300 <= error.code < 500 and error.code not in (408, 429)
    return isinstance(error, ValueError)
