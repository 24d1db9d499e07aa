"""Posting to a webhook: signed, tried again, never redirected, and only to where the settings allow.

An address is looked up once and connected to as it was checked, so that no name can lead elsewhere in between.
requests-hardened does that as well, and would bring requests and what that needs along.
"""

import base64
import hashlib
import hmac
import ipaddress
import json
import secrets
import socket
import ssl
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import Any

from django.conf import settings

from apps.changesets.processes.web import FAILURES, reason_of, tried

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
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Http(), _Https(), _Stay())
    with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
        answer.read(1)


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirection: where to, nobody has allowed. It is an error then."""

    def redirect_request(self, *args: Any) -> None:
        return None


def _connect(host: str, port: int, timeout: float) -> socket.socket:
    """Connect to a host after looking where its name leads; raises ValueError when it is not allowed to lead there."""
    addresses = list(dict.fromkeys(str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
    if not settings.ALERT_WEBHOOK_PRIVATE and any(not _is_public(address) for address in addresses):
        raise ValueError("it is in a private network, which only ALERT_WEBHOOK_PRIVATE=true allows")
    for address in addresses[:-1]:
        try:
            return socket.create_connection((address, port), timeout)
        except OSError:
            continue
    return socket.create_connection((addresses[-1], port), timeout)


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return ip.is_global and not ip.is_multicast


class _HttpConnection(HTTPConnection):
    def connect(self) -> None:
        self.sock = _connect(self.host, self.port, TIMEOUT_SECONDS)


class _HttpsConnection(HTTPSConnection):
    def connect(self) -> None:
        # The certificate is checked against the name, whatever address it led to.
        sock = _connect(self.host, self.port, TIMEOUT_SECONDS)
        self.sock = ssl.create_default_context().wrap_socket(sock, server_hostname=self.host)


class _Http(urllib.request.HTTPHandler):
    def http_open(self, request: urllib.request.Request) -> HTTPResponse:
        return self.do_open(_HttpConnection, request)


class _Https(urllib.request.HTTPSHandler):
    def https_open(self, request: urllib.request.Request) -> HTTPResponse:
        return self.do_open(_HttpsConnection, request)
