"""The Content-Security-Policy is on every response, and pages carry nothing that it forbids."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from tests.admin.everywhere import addresses, clients  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
POLICY = {
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
}
INLINE = re.compile(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)(?![^>]*application/json)", re.I)


def policy_of(response) -> set[str]:
    return {part.strip() for part in response["Content-Security-Policy"].split(";")}


def test_every_page_carries_the_policy_and_nothing_inline(addresses, clients):  # noqa: F811
    for path in addresses.values():
        response = clients["steward"].get(path)

        assert policy_of(response) == POLICY, path
        assert "Content-Security-Policy-Report-Only" not in response, path
        assert response.streaming or not INLINE.search(response.content.decode()), path


def test_strangers_get_the_policy_too(client):
    for path in (reverse("admin:login"), "/admin/", "/nowhere/"):
        assert policy_of(client.get(path)) == POLICY


def test_a_form_from_elsewhere_is_refused_on_a_page_of_ours(steward):
    client = Client(enforce_csrf_checks=True)
    client.force_login(steward)

    response = client.post("/admin/airports/airport/export/", {"format": "0"})

    assert response.status_code == 403
    assert policy_of(response) == POLICY
    text = response.content.decode()
    assert "Nothing was changed" in text
    assert not INLINE.search(text)
