"""The guard of the tests against a database connection that threads share."""

import pytest
from django.db import connection
from pytest_django.live_server_helper import LiveServer


@pytest.mark.django_db
def test_a_server_that_would_share_a_connection_in_memory_fails_the_test(monkeypatch) -> None:
    monkeypatch.setattr(connection, "vendor", "sqlite")
    monkeypatch.setattr(connection, "is_in_memory_db", lambda: True, raising=False)

    with pytest.raises(pytest.fail.Exception, match="Threads would share the connection 'default' to "):
        LiveServer("localhost")

    assert not connection.allow_thread_sharing
