"""The webhook: signed, tried again, not redirected, and only to where the settings allow."""

import base64
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from apps.changesets.processes import web
from travelmathlite.webhook import NotDelivered, post

pytestmark = pytest.mark.once
BODY = {"text": "The newest verified backup is old."}


class Receiver(BaseHTTPRequestHandler):
    """Takes what is posted, after as many failures as it is told."""

    taken: list[tuple[dict[str, str], bytes]] = []
    failures: list[int] = []

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.taken.append((dict(self.headers), content))
        self.send_response(self.failures.pop(0) if self.failures else 204)
        self.send_header("Location", self.path)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def receiver(settings) -> Iterator[type[Receiver]]:
    settings.ALERT_WEBHOOK_PRIVATE = True
    handler = type("Handler", (Receiver,), {"taken": [], "failures": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    handler.url = f"http://localhost:{server.server_port}/hook"
    yield handler
    server.shutdown()
    thread.join()
    server.server_close()


def tried(url: str) -> list[float]:
    """Post, and return the waits between the tries."""
    waits: list[float] = []
    try:
        post(url, BODY, wait=waits.append)
    except NotDelivered:
        waits.append(-1)
    return waits


@pytest.mark.parametrize("key", ["", "a key that both know"])
def test_the_receiver_can_prove_who_sent_it(receiver, settings, key):
    settings.ALERT_WEBHOOK_KEY = key
    post(receiver.url, BODY)

    ((headers, content),) = receiver.taken
    made_of_the_secret = hmac.new(settings.SECRET_KEY.encode(), b"alert webhook", hashlib.sha256).hexdigest()
    signed = f"{headers['Webhook-Id']}.{headers['Webhook-Timestamp']}.".encode() + content
    signature = hmac.digest((key or made_of_the_secret).encode(), signed, "sha256")
    assert json.loads(content) == BODY
    assert headers["Webhook-Signature"] == f"v1,{base64.b64encode(signature).decode()}"


@pytest.mark.parametrize(
    ("failures", "waits"),
    [([503], [1]), ([500, 429], [1, 2]), ([503, 503, 503], [1, 2, -1]), ([404], [-1]), ([302], [-1])],
)
def test_what_may_pass_is_tried_again_and_nothing_is_redirected(receiver, failures, waits):
    receiver.failures += failures

    assert tried(receiver.url) == waits
    assert len(receiver.taken) == min(len(failures) + (waits[-1] > 0), 3)


def test_a_failure_does_not_show_the_address(receiver):
    receiver.failures += [404]

    with pytest.raises(NotDelivered) as raised:
        post(receiver.url, BODY)

    assert str(raised.value) == "The webhook did not take it: the server answers 404 Not Found. Check ALERT_WEBHOOK."


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::1", "fe80::1%1", "fd00::1",
     "::ffff:127.0.0.1", "224.0.0.1"],
)  # fmt: skip
def test_a_name_that_leads_into_a_private_network_is_refused(monkeypatch, address):
    public = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))
    private = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, 443))
    monkeypatch.setattr(web.socket, "getaddrinfo", lambda *about, **more: [public, private])
    monkeypatch.setattr(web.socket, "create_connection", lambda *about: pytest.fail("it was connected to"))

    with pytest.raises(NotDelivered, match="it is in a private network"):
        post("https://hooks.example.com/a", BODY)


def test_it_connects_to_the_address_that_was_checked_and_then_to_the_next(monkeypatch):
    asked, connected = [], []

    def getaddrinfo(host, port, **about):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"93.184.215.{n}", port)) for n in (14, 15)]

    def create_connection(address, timeout):
        connected.append(address)
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr(web.socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(web.socket, "create_connection", create_connection)

    assert tried("https://hooks.example.com/a") == [1, 2, -1]
    assert asked == ["hooks.example.com"] * 3
    assert connected == [("93.184.215.14", 443), ("93.184.215.15", 443)] * 3
