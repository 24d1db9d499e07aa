"""The conditions for starting a server."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def refuse_unless_ready() -> None:
    """Stop the start of a web server that lacks a secret or hosts, or still has DEBUG on, or does not record.

    Raises ImproperlyConfigured with a sentence that says what to set, and changesets' RecordingNotInstalled when the
    database does not record what happens to the tracked tables.
    """
    if not settings.SECRET_IS_SET:
        raise ImproperlyConfigured("SECRET_KEY is not set: a web server starts only with a secret of its own.")
    if settings.DEBUG:
        raise ImproperlyConfigured("DEBUG is on: a web server starts only with DEBUG off (leave it unset).")
    if not settings.ALLOWED_HOSTS:
        raise ImproperlyConfigured("ALLOWED_HOSTS is not set: name the hosts to serve, separated by commas.")

    from apps.changesets.recording import require_recording

    require_recording()
