"""The address behind a proxy: X-Forwarded-For counts as far as proxies that the settings name wrote it."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory

from apps.accounts.addresses import address_of, network_of
from tests.accounts.conftest import log_in
from travelmathlite.environment import read_networks


@pytest.mark.parametrize(
    ("trusted", "remote", "forwarded", "address"),
    [
        ([], "10.0.0.1", "1.2.3.4", "10.0.0.1"),
        (["10.0.0.1"], "10.0.0.1", "1.2.3.4", "1.2.3.4"),
        (["10.0.0.0/24"], "10.0.0.9", "9.9.9.9, 1.2.3.4", "1.2.3.4"),
        (["10.0.0.0/24"], "10.0.0.9", "1.2.3.4, 10.0.0.8", "1.2.3.4"),
        (["10.0.0.1"], "8.8.8.8", "1.2.3.4", "8.8.8.8"),
        (["10.0.0.1"], "10.0.0.1", "nonsense", "10.0.0.1"),
        (["10.0.0.1"], "10.0.0.1", "", "10.0.0.1"),
        (["unix"], "", "1.2.3.4", "1.2.3.4"),
        ([], "", "1.2.3.4", None),
        (["fd00::/8"], "fd00::1", "2001:db8::5", "2001:db8::5"),
    ],
)
def test_only_proxies_that_are_named_are_believed(settings, trusted, remote, forwarded, address):
    settings.TRUSTED_PROXIES = trusted
    request = RequestFactory().get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR=forwarded)

    assert address_of(request) == address


def test_who_writes_another_address_in_the_header_is_locked_all_the_same(client, operator):
    for number in range(5):
        log_in(client, "olga", "wrong", HTTP_X_FORWARDED_FOR=f"1.2.3.{number}")

    assert log_in(client, "olga", HTTP_X_FORWARDED_FOR="5.6.7.8").status_code == 429


def test_behind_a_proxy_that_is_named_each_address_counts_for_itself(client, operator, settings):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    for _ in range(5):
        log_in(client, "olga", "wrong", HTTP_X_FORWARDED_FOR="1.2.3.4")

    assert log_in(client, "olga", HTTP_X_FORWARDED_FOR="1.2.3.4").status_code == 429
    assert log_in(client, "olga", HTTP_X_FORWARDED_FOR="5.6.7.8").status_code == 302


def test_through_a_socket_without_an_address_the_name_alone_is_locked(client, operator):
    for _ in range(5):
        log_in(client, "olga", "wrong", REMOTE_ADDR="")

    assert log_in(client, "olga", REMOTE_ADDR="").status_code == 429


def test_what_is_no_network_stops_the_start_with_a_sentence(monkeypatch):
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.1, proxy.example.com")

    with pytest.raises(ImproperlyConfigured, match=r"TRUSTED_PROXIES cannot be read at 'proxy\.example\.com'"):
        read_networks("TRUSTED_PROXIES")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("1.2.3.4", "1.2.3.4"),
        ("2001:db8:1:2::7", "2001:db8:1:2::/64"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
    ],
)
def test_what_stays_of_the_address_of_a_person_is_their_network(address, network):
    assert network_of(address) == network
