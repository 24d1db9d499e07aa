"""Single sign-on, tried against a small provider of OpenID Connect that runs in this process."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.exceptions import ImproperlyConfigured

from travelmathlite.environment import read_together

pytestmark = pytest.mark.once
ROOT = Path(__file__).resolve().parents[2]
# Logs in as a browser does, in a console of its own whose settings name the provider.
BROWSER = """
import json, sys, urllib.request
import django
django.setup()
from django.contrib.auth.models import User
from django.test import Client
for name, email, active in json.loads(sys.argv[1]):
    User.objects.create_user(name, email, is_staff=True, is_active=active)
client = Client()
page = client.get("/admin/login/?next=/admin/airports/airport/").content.decode()
begun = client.get("/oidc/authenticate/?next=/admin/airports/airport/")
class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *about):
        return None
try:
    urllib.request.build_opener(Stay).open(begun.url)
except urllib.error.HTTPError as answer:
    back = answer.headers["Location"]
done = client.get(back.partition("testserver")[2])
landed = client.get(done.url, follow=True)
print(json.dumps({
    "offers": "Log in with single sign-on" in page,
    "to": done.url,
    "who": getattr(User.objects.filter(pk=client.session.get("_auth_user_id")).first(), "username", ""),
    "sorry": "Single sign-on did not know you here" in landed.content.decode(),
    "users": User.objects.count(),
    "emails": sorted(User.objects.values_list("email", flat=True)),
}))
"""


class Provider(BaseHTTPRequestHandler):
    """Lets everybody in as the person that `claims` tells of."""

    claims: dict[str, object] = {}
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    asked: dict[str, dict] = {}

    def do_GET(self) -> None:
        where, query = urlsplit(self.path), {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
        if where.path == "/authorize":
            code = secrets.token_hex(8)
            self.asked[code] = query
            self.send_response(302)
            self.send_header(
                "Location", f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"
            )
            self.end_headers()
        elif where.path == "/keys":
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
            self.answer({"keys": [{**public, "kid": "1", "alg": "RS256"}]})
        else:
            self.answer(self.claims)

    def do_POST(self) -> None:
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        asked = self.asked.pop(sent["code"][0])
        assert sent["client_secret"] == ["a secret"]
        assert sent["code_verifier"][0]
        token = {"iss": "us", "sub": "1", "aud": "console", "exp": time.time() + 60, "nonce": asked["nonce"]}
        signed = jwt.encode(token, self.key, algorithm="RS256", headers={"kid": "1"})
        self.answer({"id_token": signed, "access_token": "a token"})

    def answer(self, content: dict) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *about: object) -> None:
        """Write nothing."""


@pytest.fixture
def provider() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Provider) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def log_in(provider, migrated_file, tmp_path):
    """Return a function that logs in with these claims where these users are, and returns what became of it."""

    def run(users: list, **claims: object) -> dict:
        Provider.claims = claims
        shutil.copy(migrated_file, tmp_path / "console.sqlite3")
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "travelmathlite.settings",
            "DATABASE_URL": f"sqlite:///{tmp_path}/console.sqlite3",
            "OIDC_RP_CLIENT_ID": "console",
            "OIDC_RP_CLIENT_SECRET": "a secret",
            "OIDC_OP_AUTHORIZATION_ENDPOINT": f"{provider}/authorize",
            "OIDC_OP_TOKEN_ENDPOINT": f"{provider}/token",
            "OIDC_OP_USER_ENDPOINT": f"{provider}/user",
            "OIDC_OP_JWKS_ENDPOINT": f"{provider}/keys",
            "ALLOWED_HOSTS": "testserver",
            "no_proxy": "*",
        }
        command = [sys.executable, "-c", BROWSER, json.dumps(users)]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)

    return run


def test_a_person_logs_in_by_the_verified_email(log_in):
    seen = log_in([["olga", "olga@example.com", True]], email="Olga@example.com", email_verified=True)

    assert seen == {
        "offers": True,
        "to": "/admin/airports/airport/",
        "who": "olga",
        "sorry": False,
        "users": 1,
        "emails": ["olga@example.com"],
    }


@pytest.mark.parametrize(
    ("users", "claims"),
    [
        ([["olga", "olga@example.com", True]], {"email": "olga@example.com", "email_verified": False}),
        ([["olga", "olga@example.com", True]], {"email": "olga@example.com"}),
        ([["olga", "", True]], {"email": "", "email_verified": True}),
        ([["olga", "olga@example.com", False]], {"email": "olga@example.com", "email_verified": True}),
        (
            [["olga", "o@example.com", True], ["otto", "o@example.com", True]],
            {"email": "o@example.com", "email_verified": True},
        ),
        ([], {"email": "new@example.com", "email_verified": True}),
    ],
    ids=["not verified", "nothing said of it", "no email", "off", "two of them", "nobody"],
)
def test_whoever_is_not_known_for_sure_is_not_let_in_and_no_user_is_made(log_in, users, claims):
    seen = log_in(users, **claims)

    assert (seen["who"], seen["sorry"], seen["users"]) == ("", True, len(users))


def test_nothing_of_it_is_imported_unless_the_settings_name_a_provider():
    code = "import django, sys; django.setup(); import travelmathlite.urls; print(*sys.modules)"
    clean = {key: value for key, value in os.environ.items() if not key.startswith("OIDC_")}
    environment = {**clean, "DJANGO_SETTINGS_MODULE": "travelmathlite.settings"}

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=True)

    assert not {"mozilla_django_oidc", "requests", "jwt", "segno"} & {*done.stdout.decode().split()}


def test_half_a_provider_stops_the_start_with_a_sentence(monkeypatch):
    monkeypatch.setenv("OIDC_RP_CLIENT_ID", "console")

    with pytest.raises(ImproperlyConfigured, match="OIDC_RP_CLIENT_SECRET must be set, too"):
        read_together("OIDC_RP_CLIENT_ID", "OIDC_RP_CLIENT_SECRET")
