"""The conditions for starting a server, and the check of `check --deploy` that tells of the same."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured

SHORTEST_KEY = 50
MANIFEST = "staticfiles.json"


def refuse_unless_ready() -> None:
    """Stop the start of a web server that lacks a secret or hosts, or still has DEBUG on, or does not record.

    Raises ImproperlyConfigured with a sentence that says what to set, and changesets' RecordingNotInstalled when the
    database does not record what happens to the tracked tables.
    """
    for problem in why_not_ready():
        raise ImproperlyConfigured(problem)

    from apps.changesets.recording import require_recording

    require_recording()


def why_not_ready() -> Iterator[str]:
    """Yield a sentence for each setting with which no web server starts."""
    if not settings.SECRET_IS_SET:
        yield "SECRET_KEY is not set: a web server starts only with a secret of its own."
    elif settings.SECRET_KEY.startswith("django-insecure-") or len(settings.SECRET_KEY) < SHORTEST_KEY:
        yield (
            f"SECRET_KEY can be guessed: make one of {SHORTEST_KEY} random characters or more, "
            "which does not begin with django-insecure-."
        )
    if settings.DEBUG:
        yield "DEBUG is on: a web server starts only with DEBUG off (leave it unset)."
    if not settings.ALLOWED_HOSTS:
        yield "ALLOWED_HOSTS is not set: name the hosts to serve, separated by commas."
    elif "*" in settings.ALLOWED_HOSTS:
        yield "ALLOWED_HOSTS is *, so anybody's name would be served: name the hosts, separated by commas."
    if lacks_manifest():
        yield "The static files are not collected, so no page would be shown: run `python manage.py collectstatic`."


def lacks_manifest() -> bool:
    """Whether pages look their static files up in a manifest that is not there."""
    manifest = "Manifest" in settings.STORAGES["staticfiles"]["BACKEND"]
    return manifest and not Path(settings.STATIC_ROOT, MANIFEST).is_file()


@register(Tags.security, deploy=True)
def check_ready(**kwargs: Any) -> list[CheckMessage]:
    """Report console.E001 for each setting with which no web server starts."""
    return [Error(problem, id="console.E001") for problem in why_not_ready()]
