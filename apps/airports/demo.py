"""A console to try: a user to log in as, and real airports."""

import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from django.conf import settings
from django.contrib.auth import get_user_model

from apps.airports.models import Airport
from apps.base.models import City, Country

ADMIN = "admin"
# How long a worker that is asked to stop may go on.
_PATIENCE_SECONDS = 10


def make_admin() -> str | None:
    """Make the superuser `admin` and return its password, which is stored nowhere; None if the user exists."""
    users = get_user_model()
    if users.objects.filter(**{users.USERNAME_FIELD: ADMIN}).exists():
        return None
    password = secrets.token_urlsafe(12)
    users.objects.create_superuser(ADMIN, password=password)
    return password


def count_tables() -> dict[str, int]:
    """Return how many airports, countries and cities there are."""
    return {
        "airports": Airport.objects.count(),
        "countries": Country.objects.count(),
        "cities": City.objects.count(),
    }


def is_taken(port: int) -> bool:
    """Return whether a server answers on this port of the loopback address."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def worker_beside() -> Iterator[subprocess.Popen]:
    """Run a worker until the end of the block, also when this process is terminated."""
    # In the same process group, so that ending the group ends the worker.
    worker = subprocess.Popen(  # noqa: S603 - our own command, with no word from outside
        [sys.executable, str(settings.BASE_DIR / "manage.py"), "db_worker", "--no-reload"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    # A terminated process does not leave its blocks, unless the signal becomes an exception.
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        yield worker
    finally:
        signal.signal(signal.SIGTERM, before)
        worker.terminate()
        try:
            worker.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            # Its run fails when the lease ends, and can be started again.
            worker.kill()
            worker.wait()


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(0)
