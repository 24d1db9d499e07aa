"""Talking to other servers: where a request may lead, the tries that it takes, and what went wrong in words.

A name is looked up once and connected to as it was checked, so that it cannot lead elsewhere in between.
requests-hardened does that as well, and would bring requests and what that needs along.
"""

import ipaddress
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, InvalidURL
from typing import Any

TIMEOUT_SECONDS = 30
ATTEMPTS = 3
# What a request may fail with.
FAILURES = (OSError, HTTPException, ValueError)
# Why a request may not lead into a private network; empty where it may.
WhyNot = Callable[[urllib.request.Request], str]


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
    """Return why a request failed, without its address, which may hold a secret."""
    if isinstance(error, InvalidURL):
        return "it has a character that no address has"
    if isinstance(error, urllib.error.HTTPError) and error.code < 400:
        return f"the server answers {error.code}, and leads nowhere that is followed"
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}"
    return str(getattr(error, "reason", "") or error)


def _is_final(error: Exception) -> bool:
    if isinstance(error, urllib.error.HTTPError):
        return 300 <= error.code < 500 and error.code not in (408, 429)
    return isinstance(error, ValueError)


def opener(why_not_private: WhyNot, *handlers: urllib.request.BaseHandler) -> urllib.request.OpenerDirector:
    """Return what opens requests, each after looking where its name leads, also when it was redirected."""
    return urllib.request.build_opener(_Open(why_not_private), *handlers)


class _Open(urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
    def __init__(self, why_not_private: WhyNot) -> None:
        super().__init__()
        self.why_not_private = why_not_private

    def http_open(self, request: urllib.request.Request) -> HTTPResponse:
        return self._open(HTTPConnection, request)

    def https_open(self, request: urllib.request.Request) -> HTTPResponse:
        # The certificate is checked against the name, whatever address it led to.
        return self._open(HTTPSConnection, request)

    def _open(self, kind: type[HTTPConnection], request: urllib.request.Request) -> HTTPResponse:
        why_not, behind_proxy = self.why_not_private(request), getattr(request, "_tunnel_host", None)
        if why_not and behind_proxy:
            # The proxy looks the name up once more, and may be anywhere itself.
            _addresses(behind_proxy.partition(":")[0], 443, why_not)
            why_not = ""
        return self.do_open(partial(_connection, kind, why_not), request)


def _connection(kind: type[HTTPConnection], why_not: str, host: str, **about: Any) -> HTTPConnection:
    made = kind(host, **about)
    vars(made)["_create_connection"] = partial(_connect, why_not)
    return made


def _connect(why_not: str, address: tuple[str, int], timeout: float, *more: Any) -> socket.socket:
    """Connect to a host; raises ValueError, with why not, where its name leads into a private network."""
    host, port = address
    addresses = _addresses(host, port, why_not)
    for checked in addresses[:-1]:
        try:
            return socket.create_connection((checked, port), timeout)
        except OSError:
            continue
    return socket.create_connection((addresses[-1], port), timeout)


def _addresses(host: str, port: int, why_not: str) -> list[str]:
    found = list(dict.fromkeys(str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
    if why_not and not all(map(_is_public, found)):
        raise ValueError(why_not)
    return found


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return ip.is_global and not ip.is_multicast
