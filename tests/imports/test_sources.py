"""Files from an address: only https, checked for size, tried again, and told in one sentence when it fails."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.core.management import CommandError, call_command

from apps.airports.models import Airport
from apps.imports.errors import SourceUnavailable
from apps.imports.reading import sources
from tests.imports.files import csv_text


class Upstream(BaseHTTPRequestHandler):
    """Serves a file, after as many failures as it is told."""

    body = b""
    failures: list[int] = []
    cut_short = False
    moved_to = ""

    def do_GET(self) -> None:
        if self.failures:
            self.send_error(self.failures.pop())
            return
        if self.moved_to:
            self.send_response(302)
            self.send_header("Location", self.moved_to)
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body) + self.cut_short))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def upstream() -> Iterator[type[Upstream]]:
    handler = type("Handler", (Upstream,), {"body": csv_text({}).encode(), "failures": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    handler.url = f"http://127.0.0.1:{server.server_port}/airports.csv"
    yield handler
    server.shutdown()
    thread.join()
    server.server_close()


def fetch(url: str) -> tuple[bytes, list[float]]:
    waits: list[float] = []
    with sources.from_url(url, wait=waits.append) as source:
        return source.path.read_bytes(), waits


@pytest.mark.django_db
def test_url_imports_what_the_address_gives(upstream):
    call_command("import_airports", "--url", upstream.url, "--json")

    assert Airport.objects.count() == 1


def test_download_is_removed_afterwards(upstream):
    with sources.from_url(upstream.url) as source:
        assert source.path.exists()

    assert not source.path.exists()


def test_server_errors_are_tried_again_with_longer_waits(upstream):
    upstream.failures += [503, 503]

    body, waits = fetch(upstream.url)

    assert body == upstream.body
    assert waits == [1.0, 2.0]


@pytest.mark.parametrize("code", [408, 429, 500])
def test_an_answer_that_another_attempt_may_change_is_tried_again(upstream, code):
    upstream.failures += [code]

    assert fetch(upstream.url) == (upstream.body, [1.0])


def test_after_three_attempts_it_says_why(upstream):
    upstream.failures += [503] * 3

    with pytest.raises(SourceUnavailable, match="the server answers 503 Service Unavailable"):
        fetch(upstream.url)


@pytest.mark.parametrize("code", [400, 404, 410])
def test_what_is_not_there_is_not_tried_again(upstream, code):
    upstream.failures += [code]

    with pytest.raises(SourceUnavailable, match=str(code)):
        fetch(upstream.url)


def test_too_large_a_file_is_refused(upstream, monkeypatch):
    monkeypatch.setattr(sources, "SIZE_LIMIT", 10)

    with pytest.raises(SourceUnavailable, match="is larger than"):
        fetch(upstream.url)


def test_download_cut_short_is_noticed(upstream):
    upstream.cut_short = True

    with pytest.raises(SourceUnavailable, match=r"\d+ of \d+ bytes arrived"):
        fetch(upstream.url)


def test_redirection_away_from_https_is_refused(upstream):
    upstream.moved_to = "http://example.com/airports.csv"

    with pytest.raises(SourceUnavailable, match="only https is fetched"):
        fetch(upstream.url)


@pytest.mark.parametrize("url", ["https://exa mple/a.csv", "https://[::1/a.csv"])
def test_what_is_no_address_is_one_sentence(url):
    with pytest.raises(SourceUnavailable):
        fetch(url)


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["http://example.com/a.csv", "file:///etc/hostname", "ftp://example.com/a.csv", "x"])
def test_only_https_is_fetched(url):
    with pytest.raises(CommandError, match="only https is fetched"):
        call_command("import_airports", "--url", url)


def test_offline_is_one_sentence():
    with pytest.raises(SourceUnavailable, match=r"cannot be fetched: .*Try --file") as caught:
        fetch("https://127.0.0.1:1/airports.csv")

    assert "\n" not in str(caught.value)
