"""Posting to a webhook: signed, tried again, never redirected, and only to where the settings allow."""

import base64
import hashlib
import hmac
import json
import secrets
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings

from apps.changesets.processes.web import FAILURES, opener, reason_of, tried

TIMEOUT_SECONDS = 10


class NotDelivered(Exception):
    """The webhook did not take what was posted; the text says why, without the address."""


def post(url: str, body: dict[str, Any], *, wait: Callable[[float], None] = time.sleep) -> None:
    """Post a document to the webhook as JSON; raises NotDelivered when it is not taken after three tries."""
    content = json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "travelmathlite-console", **signature_of(content)}
    request = urllib.request.Request(url, content, headers, method="POST")  # noqa: S310 - https, or allowed
    try:
        tried(partial(_send, request), wait=wait)
    except FAILURES as error:
        raise NotDelivered(f"The webhook did not take it: {reason_of(error)}. Check ALERT_WEBHOOK.") from error


def signature_of(content: bytes) -> dict[str, str]:
    """Return the headers by which a receiver knows who sent this, and when, as Standard Webhooks has them."""
    name, at = f"msg_{secrets.token_hex(12)}", str(int(time.time()))
    signed = hmac.digest(webhook_key(), b".".join([name.encode(), at.encode(), content]), hashlib.sha256)
    return {
        "webhook-id": name,
        "webhook-timestamp": at,
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }


def webhook_key() -> bytes:
    """Return the key that signs: ALERT_WEBHOOK_KEY, or one made of the secret of the console."""
    if settings.ALERT_WEBHOOK_KEY:
        return str(settings.ALERT_WEBHOOK_KEY).encode()
    return hmac.new(settings.SECRET_KEY.encode(), b"alert webhook", hashlib.sha256).hexdigest().encode()


def _send(request: urllib.request.Request) -> None:
    # A proxy would look the name up by itself.
    with opener(_why_not_private, urllib.request.ProxyHandler({}), _Stay()).open(
        request, timeout=TIMEOUT_SECONDS
    ) as answer:
        answer.read(1)


def _why_not_private(request: urllib.request.Request) -> str:
    allowed = settings.ALERT_WEBHOOK_PRIVATE
    return "" if allowed else "it is in a private network, which only ALERT_WEBHOOK_PRIVATE=true allows"


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirection: where to, nobody has allowed. It is an error then."""

    def redirect_request(self, *args: Any) -> None:
        return None
