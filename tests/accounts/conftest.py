"""What the tests of logging in share: who logs in, and what stands in the log."""

import json
import logging

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.test.client import Client as Browser

from tests.conftest import PASSWORD

LOGIN = "/admin/login/"


def log_in(client: Browser, username: str, password: str = PASSWORD, **headers: str):
    """Post the form of the login page."""
    return client.post(LOGIN, {"username": username, "password": password, "next": "/admin/"}, **headers)


@pytest.fixture
def superuser(db) -> User:
    """Sue, who may do everything."""
    return User.objects.create_superuser("sue", "sue@example.com", PASSWORD)


@pytest.fixture
def manager(make_person) -> User:
    """Mona, an editor who may also change users and groups."""
    person = make_person("mona", group="editor")
    names = [f"{verb}_{model}" for verb in ("add", "change", "delete", "view") for model in ("user", "group")]
    person.user_permissions.set(Permission.objects.filter(codename__in=names))
    return person


@pytest.fixture
def as_superuser(superuser, browse_as) -> Client:
    return browse_as(superuser)


@pytest.fixture
def events(caplog):
    """Return a function that gives the events in the log since it was asked last."""
    caplog.set_level(logging.INFO, logger="apps.accounts.logins")

    def told() -> list[dict]:
        lines = [json.loads(r.getMessage()) for r in caplog.records if r.name == "apps.accounts.logins"]
        caplog.clear()
        return lines

    return told
