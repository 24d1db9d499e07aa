"""The address that somebody logs in from, also behind proxies that the settings name."""

from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str | None:
    """Return the address of the nearest machine that is no proxy of ours; None where there is none.

    Anybody can send an X-Forwarded-For, so it counts only as far as proxies of TRUSTED_PROXIES have written it.
    """
    address = request.META.get("REMOTE_ADDR", "")
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    while forwarded and _is_proxy(address) and _is_address(forwarded[-1]):
        address = forwarded.pop()
    return address if _is_address(address) else None


def network_of(address: str) -> str:
    """Return what stays of the address of one person: the network of theirs where it is one of IPv6, else all."""
    known = ip_address(address)
    if not isinstance(known, IPv6Address):
        return address
    # An address of IPv4 in the notation of IPv6 shares its first half with all others.
    return str(known.ipv4_mapped or ip_network((known, 64), strict=False))


def _is_address(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False


def _is_proxy(address: str) -> bool:
    trusted = settings.TRUSTED_PROXIES
    if not address:
        # Through a socket in a file nobody has an address.
        return "unix" in trusted
    return _is_address(address) and any(ip_address(address) in ip_network(net) for net in trusted if net != "unix")
