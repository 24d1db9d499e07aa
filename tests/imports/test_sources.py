"""Files from an address: only https, checked for size, tried again, and told in one sentence when it fails."""

import re
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.core.management import CommandError, call_command

from apps.airports.models import Airport
from apps.changesets.models import Changeset
from apps.imports.errors import SourceUnavailable
from apps.imports.models import ImportRun
from apps.imports.reading import sources
from tests.imports.files import csv_text


class Upstream(BaseHTTPRequestHandler):
    """Serves a file, after as many failures as it is told."""

    body = b""
    failures: list[int] = []
    cut_short = False
    moved_to = ""
    asked: list[tuple[str, str | None]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Authorization"]))
        if self.failures:
            self.send_error(self.failures.pop())
            return
        if self.moved_to and self.path != "/moved.csv":
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
    handler = type("Handler", (Upstream,), {"body": csv_text({}).encode(), "failures": [], "asked": []})
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


def test_a_redirection_into_the_own_network_is_refused_unless_a_setting_allows_it(upstream, settings):
    upstream.moved_to = upstream.url.replace("airports", "moved")

    with pytest.raises(SourceUnavailable, match="only IMPORTS_URL_PRIVATE=true allows"):
        fetch(upstream.url)
    assert [path for path, _ in upstream.asked] == ["/airports.csv"]

    settings.IMPORTS_URL_PRIVATE = True

    assert fetch(upstream.url) == (upstream.body, [])


@pytest.mark.django_db
@pytest.mark.parametrize("fails", [False, True])
def test_query_user_and_password_are_sent_and_neither_kept_nor_shown(upstream, fails, caplog, capsys):
    upstream.failures += [404] * fails
    url = upstream.url.replace("://", "://tess:s3cret@") + "?token=t0ken#part"

    with pytest.raises(CommandError, match=f"^{upstream.url} cannot be fetched") if fails else nullcontext():
        call_command("import_airports", "--url", url)

    assert upstream.asked == [("/airports.csv?token=t0ken", "Basic dGVzczpzM2NyZXQ=")]
    run = ImportRun.objects.get()
    kept = [vars(run), *(vars(made) for made in Changeset.objects.all()), caplog.text, capsys.readouterr()]
    assert run.file_name == upstream.url
    assert not re.search("tess|s3cret|t0ken", repr(kept))


def test_a_password_is_not_sent_on(upstream, settings):
    settings.IMPORTS_URL_PRIVATE = True
    upstream.moved_to = upstream.url.replace("airports", "moved")

    fetch(upstream.url.replace("://", "://tess:s3cret@"))

    assert [secret for _, secret in upstream.asked] == ["Basic dGVzczpzM2NyZXQ=", None]


@pytest.mark.parametrize(
    "url",
    ["https://tess:s3cret@exa mple/a.csv", "https://tess:s3cret?@host/a.csv", "https://h:1/a b?s3cret",
     "https://[s3cret/", "http://tess:s3cret@example.com/", "s3cret:a@b"],
)  # fmt: skip
def test_what_is_wrong_with_an_address_is_said_without_its_secret(url):
    with pytest.raises(SourceUnavailable) as caught:
        fetch(url)

    assert "s3cret" not in str(caught.value).replace("s3cret:a@b", "")


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
