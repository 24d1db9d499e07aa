"""Telling Sentry where something failed, and never with which values: the id of the request leads to the log."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from apps.changesets.processes.request_id import request_id

# What is told of a failure; everything else, such as the request, its person and what the log said before, stays here.
_KEPT = ("event_id", "timestamp", "level", "platform", "logger", "transaction", "release", "environment", "sdk")
_KEPT_OF_FRAMES = ("filename", "abs_path", "function", "module", "lineno", "context_line", "in_app")


def start_sentry(dsn: str) -> None:
    """Tell Sentry of failures from now on; raises ImproperlyConfigured without sentry-sdk, or for a wrong address."""
    try:
        import sentry_sdk
        from sentry_sdk.integrations.django import DjangoIntegration
        from sentry_sdk.utils import BadDsn
    except ImportError as error:
        hint = "install sentry-sdk, or deploy/requirements.lock, or leave it unset."
        raise ImproperlyConfigured(f"SENTRY_DSN is set, and sentry-sdk is not installed: {hint}") from error
    try:
        sentry_sdk.init(
            dsn,
            before_send=without_values,
            integrations=[DjangoIntegration()],
            auto_enabling_integrations=False,
            auto_session_tracking=False,
            send_default_pii=False,
            include_local_variables=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
        )
    except BadDsn as error:
        # It holds a key, so it is not shown.
        raise ImproperlyConfigured("SENTRY_DSN cannot be read: copy it from the project in Sentry.") from error


def without_values(event: Any, hint: Any) -> Any:
    """Return what Sentry may know of an event: types and places in the code, and the id of the request."""
    told = {name: event[name] for name in _KEPT if name in event}
    if request_id.get():
        told["tags"] = {"request_id": request_id.get()}
    if line := event.get("logentry"):
        # As it stands in the code, before anything is filled in.
        told["logentry"] = {"message": line.get("message", "")}
    if raised := event.get("exception"):
        told["exception"] = {"values": [_place_of(error) for error in raised.get("values", ())]}
    return told


def _place_of(error: dict[str, Any]) -> dict[str, Any]:
    frames = (error.get("stacktrace") or {}).get("frames", ())
    kept = [{name: frame[name] for name in _KEPT_OF_FRAMES if name in frame} for frame in frames]
    return {"type": error.get("type"), "module": error.get("module"), "stacktrace": {"frames": kept}}
