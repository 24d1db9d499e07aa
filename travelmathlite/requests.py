"""The requests that the WSGI application makes."""

from django.core.handlers.wsgi import WSGIRequest


class Utf8Request(WSGIRequest):
    """A request that can be made whatever its encoding is called: Django ends before any middleware at some names."""

    def _set_content_type_params(self, meta: dict[str, str]) -> None:
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]  # Not in the stubs.
        except (LookupError, ValueError):
            # The middleware refuses it by its name.
            self._encoding = None
