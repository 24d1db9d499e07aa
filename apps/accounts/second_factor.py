"""The second factor: a code of an app on a person's phone, and recovery codes for the day it is lost."""

import time
from base64 import b32encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django_otp import DEVICE_ID_SESSION_KEY, login, match_token
from django_otp.models import Device
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.accounts.log import tell
from apps.changesets.errors import ChangesetError
from apps.changesets.text import counted

OFF, OPTIONAL, REQUIRED = "off", "optional", "required"
RECOVERY_CODES = 10
# Marks a session whose person has a second factor and has not shown it.
DUE = "second_factor_due"
WRONG = "That code is wrong or was used already: enter the code that the app shows now."


class CodeRefused(ChangesetError):
    """The code is wrong, or too many were."""


@dataclass(frozen=True)
class Enrolment:
    """A key that becomes the second factor of a person once a code of it was entered."""

    user: User
    key: str

    @property
    def device(self) -> TOTPDevice:
        """The device, which is not saved."""
        return TOTPDevice(user=self.user, name="App", key=self.key, confirmed=True)

    @property
    def address(self) -> str:
        """What the QR code tells the app."""
        return str(self.device.config_url)

    @property
    def typed(self) -> str:
        """The key as a person types it into an app, in groups of four."""
        text = b32encode(self.device.bin_key).decode()
        return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def has_second_factor(user: Any) -> bool:
    """Whether a person has set up a second factor."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).exists()


def recovery_codes_left(user: User) -> int:
    """Return how many recovery codes a person has left."""
    return StaticToken.objects.filter(device__user=user).count()


def note_due(sender: Any, request: HttpRequest, user: User, **named: Any) -> None:
    """Note in a session that begins whether its person has a second factor to show."""
    if settings.SECOND_FACTOR != OFF and has_second_factor(user):
        request.session[DUE] = True


def is_shown(request: HttpRequest) -> bool:
    """Whether the second factor was shown in this session, and is still the person's."""
    device = Device.from_persistent_id(request.session.get(DEVICE_ID_SESSION_KEY, ""))
    return device is not None and device.user_id == request.user.pk


def where_to_show(request: HttpRequest) -> str:
    """Return the address of the page that asks for the second factor, where it is due in this session, or nothing."""
    if settings.SECOND_FACTOR == OFF or not request.session.get(DUE):
        return ""
    return _page("check", request)


def where_to_prove(request: HttpRequest) -> str:
    """Return where to go before a page that asks for the second factor; nothing where that is shown or not needed."""
    if settings.SECOND_FACTOR == OFF or not request.user.is_authenticated or is_shown(request):
        return ""
    if has_second_factor(request.user):
        return _page("check", request)
    return _page("setup", request) if settings.SECOND_FACTOR == REQUIRED else ""


def show(request: HttpRequest, user: User, code: str) -> None:
    """Take a code of the app, or a recovery code, for this session; raises CodeRefused."""
    for device in (*TOTPDevice.objects.filter(user=user, confirmed=True), *StaticDevice.objects.filter(user=user)):
        allowed, why = device.verify_is_allowed()
        if not allowed and why and "locked_until" in why:
            seconds = max(1, int((why["locked_until"] - timezone.now()).total_seconds()) + 1)
            raise CodeRefused(f"Too many wrong codes: try again in {counted(seconds, 'second')}.")
    device = match_token(user, "".join(code.split()).lower())
    if device is None:
        tell("second_factor_failed", request, user.get_username())
        raise CodeRefused(WRONG)
    _shown(request, device)


def set_up(request: HttpRequest, enrolment: Enrolment, code: str) -> list[str]:
    """Make the key the second factor of the person, and return the recovery codes; raises CodeRefused."""
    device, digits = enrolment.device, "".join(code.split())
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    totp.time = time.time()
    if not (digits.isascii() and digits.isdecimal() and totp.verify(int(digits), tolerance=device.tolerance)):
        raise CodeRefused(WRONG)
    with transaction.atomic():
        remove(enrolment.user)
        # The code is used up.
        device.last_t = totp.t()
        device.save()
        codes = new_recovery_codes(enrolment.user)
    tell("second_factor_set_up", request, enrolment.user.get_username())
    _shown(request, device)
    return codes


@transaction.atomic
def new_recovery_codes(user: User) -> list[str]:
    """Replace the recovery codes of a person and return the new ones, which are shown this once."""
    # The device stays, for who has just logged in with a code of it.
    device, _made = StaticDevice.objects.get_or_create(user=user, defaults={"name": "Recovery codes"})
    device.token_set.all().delete()
    codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return codes


@transaction.atomic
def remove(user: User) -> None:
    """Take a person's second factor and recovery codes away."""
    for devices in (TOTPDevice, StaticDevice):
        devices.objects.filter(user=user).delete()


def _shown(request: HttpRequest, device: Device) -> None:
    request.session.pop(DUE, None)
    login(request, device)


def _page(name: str, request: HttpRequest) -> str:
    # What was to be posted is asked for again on its page.
    return f"{reverse(f'admin:second_factor_{name}')}?next={quote(request.get_full_path(), safe='/')}"
