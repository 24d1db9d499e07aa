"""A person with a browser before the proxy: TLS, cookies and forms, and nothing of the console's own code."""

import http.client
import re
import socket
import ssl
import urllib.error
import urllib.parse
import urllib.request
import uuid
from http.cookiejar import CookieJar
from pathlib import Path


class Visitor:
    """Opens pages of one host at a port of this machine, whose certificate must be the one in this file."""

    def __init__(self, host: str, port: int, certificate: Path) -> None:
        self.base, self.cookies = f"https://{host}:{port}", CookieJar()
        trust = ssl.create_default_context(cafile=str(certificate))

        class Here(http.client.HTTPSConnection):
            def connect(self) -> None:
                plain = socket.create_connection(("127.0.0.1", port), 60)
                self.sock = trust.wrap_socket(plain, server_hostname=self.host)

        class Handler(urllib.request.HTTPSHandler):
            def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
                return self.do_open(Here, request)

        jar = urllib.request.HTTPCookieProcessor(self.cookies)
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), Handler(), jar)

    def open(self, path: str, *, data: bytes | None = None, **headers: str) -> tuple[http.client.HTTPResponse, str]:
        """Return an answer and its text; redirections are followed."""
        request = urllib.request.Request(urllib.parse.urljoin(self.base, path), data)
        for name, value in {"Referer": f"{self.base}/", **headers}.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            answer = self._opener.open(request, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        return answer, answer.read().decode("utf-8", "replace")

    def send(
        self,
        path: str,
        fields: dict[str, str],
        *,
        file: tuple[str, bytes] | None = None,
        form: str = "",
        **headers: str,
    ) -> tuple[http.client.HTTPResponse, str]:
        """Fill in the form of a page, by default the one at the same address, and return what comes of it."""
        _answer, page = self.open(form or path)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]
        border = uuid.uuid4().hex
        parts = [_part(name, value.encode()) for name, value in {**fields, "csrfmiddlewaretoken": token}.items()]
        if file:
            parts.append(_part('import_file"; filename="' + file[0], file[1]))
        body = b"".join(b"--%s\r\n%s" % (border.encode(), part) for part in parts) + b"--%s--\r\n" % border.encode()
        return self.open(path, data=body, Content_Type=f"multipart/form-data; boundary={border}", **headers)


def _part(name: str, value: bytes) -> bytes:
    return b'Content-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value)
