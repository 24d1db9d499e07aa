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
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.exceptions import ImproperlyConfigured

from travelmathlite.environment import read_together

pytestmark = pytest.mark.once
ROOT = Path(__file__).resolve().parents[2]
# Whom the console knows: name, e-mail, whether active.
USERS = [
    ["olga", "olga@example.com", True],
    ["blank", "", True],
    ["off", "off@example.com", False],
    ["one", "two@example.com", True],
    ["other", "two@example.com", True],
]
# What the provider tells of who logs in, and who that is here.
PEOPLE = {
    "known": ({"email": "Olga@example.com", "email_verified": True}, "olga"),
    "not verified": ({"email": "olga@example.com", "email_verified": False}, ""),
    "nothing said of it": ({"email": "olga@example.com"}, ""),
    "no email": ({"email": "", "email_verified": True}, ""),
    "off": ({"email": "off@example.com", "email_verified": True}, ""),
    "two of them": ({"email": "two@example.com", "email_verified": True}, ""),
    "nobody": ({"email": "new@example.com", "email_verified": True}, ""),
}
# Logs in as browsers do, in a console of its own whose settings name the provider.
BROWSER = """
import json, sys, urllib.parse, urllib.request
import django
django.setup()
from django.contrib.auth.models import User
from django.test import Client
users, people = json.loads(sys.argv[1])
for name, email, active in users:
    User.objects.create_user(name, email, is_staff=True, is_active=active)
class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *about):
        return None
seen = {}
for number, person in enumerate(people):
    client = Client(REMOTE_ADDR=f"10.0.0.{number}")
    page = client.get("/admin/login/?next=/admin/airports/airport/").content.decode()
    assert "Log in with single sign-on" in page
    begun = client.get("/oidc/authenticate/?next=/admin/airports/airport/")
    try:
        address = f"{begun.url}&as={urllib.parse.quote(person)}"
        urllib.request.build_opener(urllib.request.ProxyHandler({}), Stay).open(address)
    except urllib.error.HTTPError as answer:
        back = answer.headers["Location"]
    done = client.get(back.partition("testserver")[2])
    landed = client.get(done.url, follow=True).content.decode()
    who = User.objects.filter(pk=client.session.get("_auth_user_id")).values_list("username", flat=True)
    seen[person] = [*who, done.url, "No user here has the e-mail address of your single sign-on account" in landed]
emails = sorted(User.objects.values_list("email", flat=True))
print(json.dumps({"seen": seen, "emails": emails}))
"""


class Provider(BaseHTTPRequestHandler):
    """Lets everybody in as the one of PEOPLE that the address names."""

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
            self.answer(PEOPLE[unquote(self.headers["Authorization"].removeprefix("Bearer "))][0])

    def do_POST(self) -> None:
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        asked = self.asked.pop(sent["code"][0])
        assert sent["client_secret"] == ["a secret"]
        assert sent["code_verifier"][0]
        token = {"iss": "us", "sub": "1", "aud": "console", "exp": time.time() + 60, "nonce": asked["nonce"]}
        signed = jwt.encode(token, self.key, algorithm="RS256", headers={"kid": "1"})
        self.answer({"id_token": signed, "access_token": quote(asked["as"])})

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


def test_only_the_one_active_user_with_the_verified_email_logs_in_and_no_user_is_made(
    provider, migrated_file, tmp_path
):
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
    command = [sys.executable, "-c", BROWSER, json.dumps([USERS, list(PEOPLE)])]

    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stderr[-2000:]
    inside, outside = "/admin/airports/airport/", "/admin/login/?single-sign-on=failed"
    wanted = {name: [who, inside, False] if who else [outside, True] for name, (_claims, who) in PEOPLE.items()}
    assert json.loads(done.stdout) == {"seen": wanted, "emails": sorted(email for _name, email, _active in USERS)}


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
