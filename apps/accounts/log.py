"""Who logs in, fails to, and is locked out: one line of JSON each in the log, with its event, name and address."""

import json
import logging
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest

from apps.accounts.addresses import address_of

LONGEST_NAME = 150
logger = logging.getLogger("apps.accounts.logins")


def tell(event: str, request: HttpRequest | None, user: str, **about: Any) -> None:
    """Write one line about a person who logs in or out, or about the second factor of one."""
    line = {"event": event, "user": user[:LONGEST_NAME], "address": address_of(request) if request else None, **about}
    logger.info(json.dumps(line))


def tell_login(sender: Any, request: HttpRequest, user: AbstractBaseUser, **named: Any) -> None:
    """Write that somebody logged in."""
    tell("login", request, user.get_username())


def tell_logout(sender: Any, request: HttpRequest, user: AbstractBaseUser | None, **named: Any) -> None:
    """Write that somebody logged out."""
    if user is not None:
        tell("logout", request, user.get_username())


def tell_failure(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **named: Any) -> None:
    """Write that somebody tried to log in and failed."""
    tell("login_failed", request, str(credentials.get("username") or ""))


def tell_lockout(sender: Any, request: HttpRequest, username: str | None, **named: Any) -> None:
    """Write that a name is locked out at an address."""
    tell("login_locked", request, username or "")
