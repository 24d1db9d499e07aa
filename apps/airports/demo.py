"""What a newcomer needs to look around: somebody to log in as, and real airports."""

import secrets
import socket

from django.contrib.auth import get_user_model

from apps.airports.models import Airport
from apps.base.models import City, Country

ADMIN = "admin"


def make_admin() -> str | None:
    """Make the superuser `admin`; returns the password, kept nowhere else, or None if that user exists."""
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
    """Return whether some server answers on this port of the loopback address already."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
