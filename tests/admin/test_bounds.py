"""What strangers send to the console: texts that no database holds, keys that no object has, searches without end."""

import re
import string

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.changesets.text import MOST_WORDS
from travelmathlite.characters import NO_TEXT
from travelmathlite.requests import Utf8Request

pytestmark = pytest.mark.django_db
HUGE = "9" * 30
AIRPORTS, GROUPS = "/admin/airports/airport/", "/admin/auth/group/"
# Each letter once, and the first ones again and again.
WORDS = " ".join([*string.ascii_lowercase, *"abcdefgh" * 150])


@pytest.fixture
def client(browse_as, db):
    """The browser of somebody who may do everything."""
    return browse_as(User.objects.create_superuser("root"))


@pytest.mark.parametrize(
    ("method", "address", "data"),
    [
        ("get", f"{AIRPORTS}K%00/change/", {}),
        ("get", AIRPORTS, {"q": "a\x00"}),
        ("get", AIRPORTS, {"a\x00": "x"}),
        ("get", "/admin/changesets/changeset/", {"person": "\x00"}),
        ("get", "/admin/login/", {"next": "\x00"}),
        ("post", f"{AIRPORTS}add/", {"name": "a\x00"}),
        ("post", f"{GROUPS}add/", {"na\x00me": "a"}),
        ("post", "/admin/login/", {"username": "\x00", "password": "\x00"}),
    ],
)
def test_a_nul_is_refused_in_one_sentence(client, method, address, data):
    answer = getattr(client, method)(address, data)

    assert answer.status_code == 400
    assert str(NO_TEXT) in answer.content.decode()


@pytest.mark.parametrize("charset", ["utf-7", "utf-16", "hex", "zlib", "punycode", "undefined", "x" * 300, "a\x00b"])
@pytest.mark.parametrize("kind", ["text/html", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_only_utf_8_is_read(client, monkeypatch, kind, charset):
    # As the application that servers run makes its requests.
    monkeypatch.setattr("django.test.client.WSGIRequest", Utf8Request)

    answer = client.get(f"{AIRPORTS}?q=%2B2AA-", CONTENT_TYPE=f"{kind}; charset={charset}")

    assert answer.status_code == 400
    assert str(NO_TEXT) in answer.content.decode()


def test_utf_8_may_be_named(client):
    assert client.get(AIRPORTS, CONTENT_TYPE='text/html; charset="UTF8"').status_code == 200


@pytest.mark.parametrize("debug", [True, False])
def test_more_fields_than_the_console_takes_are_a_sentence(client, settings, debug):
    settings.DEBUG, settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = debug, 10

    answer = client.get(AIRPORTS + "?" + "a=1&" * 20)

    assert answer.status_code == 400
    assert "More was sent than the console accepts at once" in answer.content.decode()


@pytest.mark.parametrize("key", ["abc", HUGE, "-1", "1.5", "", "[]"])
@pytest.mark.parametrize(
    ("page", "field"),
    [("airports/airport", "country"), ("airports/airport", "city"), ("base/city", "country"), ("auth/user", "groups")],
)
def test_a_form_begins_without_keys_that_no_object_has(client, page, field, key):
    assert client.get(f"/admin/{page}/add/", {field: key}).status_code == 200


@pytest.mark.parametrize("key", ["abc", HUGE, "1.5", ""])
@pytest.mark.parametrize("page", ["auth/group", "auth/user"])
def test_ticked_keys_that_no_object_has_are_told(client, page, key):
    Group.objects.create(name="a group")

    answer = client.post(f"/admin/{page}/", {"action": "delete_selected", "_selected_action": [key]}, follow=True)

    assert answer.status_code == 200
    assert "Nothing was selected" in answer.content.decode()
    assert Group.objects.exists()


@pytest.mark.parametrize(
    "name", ["id", "id__exact", "pk", "id__in", "pk__in", "country", "country__id__exact", "groups__id__exact"]
)
@pytest.mark.parametrize("value", ["abc", HUGE, f"-{HUGE}", f"1,{HUGE}", "1e5"])
def test_lists_are_filtered_by_any_value(client, places, name, value):
    for page in ("airports/airport", "base/city", "auth/user", "auth/group", "imports/importrun"):
        assert client.get(f"/admin/{page}/", {name: value}, follow=True).status_code in (200, 400)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        *((page, "q") for page in (AIRPORTS, f"{AIRPORTS}as-of/", f"{AIRPORTS}between/", f"{AIRPORTS}export/")),
        *((f"/admin/{page}/", "q") for page in ("base/city", "base/country", "auth/user", "imports/importrun")),
        ("/admin/changesets/changeset/", "q"),
        ("/admin/changesets/changeset/recycle-bin/?model=airports.airport", "q"),
        ("/admin/autocomplete/?app_label=airports&model_name=airport&field_name=city", "term"),
    ],
)
def test_a_search_is_for_the_first_words_each_once(client, places, address, name):
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(f"{address}{'&' if '?' in address else '?'}{name}={WORDS.replace(' ', '+')}")

    searches = [re.findall("'%([a-z])%'", query["sql"]) for query in queries]
    assert answer.status_code == 200
    assert 0 < len(set(max(searches, key=len))) <= MOST_WORDS
    assert max(map(len, searches)) <= MOST_WORDS * 9


def test_who_searches_for_more_is_told(client, places):
    assert f"Only the first {MOST_WORDS} words are searched for." in client.get(AIRPORTS, {"q": WORDS}).content.decode()
    assert "words are searched for" not in client.get(AIRPORTS, {"q": "den den den " * 5}).content.decode()
