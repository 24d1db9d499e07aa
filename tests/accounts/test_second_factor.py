"""The second factor: set up by the person, shown at logging in and before what destroys most, removed when lost."""

import re
import time
from base64 import b32decode
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.airports.models import Airport
from apps.changesets.models import Changeset
from tests.accounts.conftest import log_in
from tests.admin.conftest import places  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
SETUP, CHECK = "/admin/second-factor/", "/admin/second-factor/check/"
# Pages that take a second factor where the settings demand one.
PROVED = (
    "/admin/backups/backup/20260101-000000-full/restore/",
    "/admin/backups/backup/20260101-000000-full/download/",
    "/admin/auth/user/",
    "/admin/auth/user/add/",
    "/admin/auth/group/",
    "/admin/otp_totp/totpdevice/",
)


def code_of(device: TOTPDevice, *, steps: int = 0) -> str:
    """Return the code that an app shows, or will show so many steps later."""
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits)
    totp.time = time.time() + steps * device.step
    return f"{totp.token():06d}"


def set_up(client: Client) -> tuple[TOTPDevice, list[str]]:
    """Set up the second factor as a person does; return the device and the recovery codes."""
    page = client.get(SETUP).content.decode()
    key = re.search(r"Key: <code>([A-Z2-7 ]+)</code>", page)[1].replace(" ", "")
    seen = re.search(r'name="seen" value="([^"]+)"', page)[1]
    device = TOTPDevice(key=b32decode(key).hex())
    done = client.post(SETUP, {"seen": seen, "code": code_of(device)})
    codes = re.findall(r"<li><code>(\w+)</code></li>", done.content.decode())
    assert len(codes) == 10
    return TOTPDevice.objects.get(), codes


@pytest.fixture
def enrolled(browse_as, operator) -> tuple[TOTPDevice, list[str]]:
    """Olga has set up her second factor."""
    return set_up(browse_as(operator))


def test_a_person_scans_the_key_enters_a_code_and_gets_recovery_codes(browse_as, operator, events):
    client = browse_as(operator)
    assert 'src="data:image/svg+xml' in client.get(SETUP).content.decode()
    events()

    device, codes = set_up(client)

    assert (device.user, device.confirmed) == (operator, True)
    assert {*codes} == {*StaticToken.objects.values_list("token", flat=True)}
    assert [line["event"] for line in events()] == ["second_factor_set_up"]
    assert "10 recovery codes are left" in client.get(SETUP).content.decode()


def test_a_wrong_code_sets_nothing_up_and_the_key_stays_the_same(browse_as, operator):
    client = browse_as(operator)
    page = client.get(SETUP).content.decode()
    seen, key = (re.search(words, page)[1] for words in (r'name="seen" value="([^"]+)"', r"Key: <code>([^<]+)"))

    again = client.post(SETUP, {"seen": seen, "code": "000000"}).content.decode()

    assert "That code is wrong" in again
    assert key in again
    assert not TOTPDevice.objects.exists()


def test_the_key_of_somebody_else_is_not_taken(browse_as, operator, steward):
    page = browse_as(steward).get(SETUP).content.decode()
    seen = re.search(r'name="seen" value="([^"]+)"', page)[1]

    browse_as(operator).post(SETUP, {"seen": seen, "code": "000000"})

    assert not TOTPDevice.objects.exists()


def test_after_the_password_the_code_is_asked_for_before_any_page(client, enrolled):
    device, _codes = enrolled
    log_in(client, "olga")

    assert client.get("/admin/airports/airport/").url == f"{CHECK}?next=/admin/airports/airport/"
    assert client.post("/admin/password_change/").status_code == 302
    # The code of setting up is used already.
    used = client.post(CHECK, {"code": code_of(device)})
    assert "That code is wrong or was used already" in used.content.decode()
    TOTPDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)
    StaticDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)
    done = client.post(f"{CHECK}?next=/admin/airports/airport/", {"code": code_of(device, steps=1)})

    assert done.url == "/admin/airports/airport/"
    assert client.get("/admin/airports/airport/").status_code == 200


def test_a_recovery_code_works_once(client, enrolled):
    _device, codes = enrolled
    log_in(client, "olga")

    assert client.post(CHECK, {"code": f" {codes[0].upper()} "}).status_code == 302
    other = Client()
    log_in(other, "olga")

    assert "That code is wrong" in other.post(CHECK, {"code": codes[0]}).content.decode()


def test_codes_cannot_be_guessed_at_full_speed(client, enrolled, events):
    log_in(client, "olga")
    events()
    client.post(CHECK, {"code": "000000"})

    again = client.post(CHECK, {"code": enrolled[1][0]})

    assert "Too many wrong codes: try again in 1 second." in again.content.decode()
    assert [line["event"] for line in events()] == ["second_factor_failed"]


def test_who_has_to_show_it_may_log_out(client, enrolled):
    log_in(client, "olga")

    assert client.post("/admin/logout/").status_code == 200


def test_it_does_not_lead_away_from_the_console(client, enrolled):
    log_in(client, "olga")

    done = client.post(f"{CHECK}?next=https://evil.example.com/", {"code": enrolled[1][0]})

    assert done.url == "/admin/"


def test_reading_the_pages_writes_nothing(browse_as, operator):
    browse_as(operator).get(SETUP)

    assert not TOTPDevice.objects.exists()


@pytest.mark.parametrize("page", PROVED)
def test_where_it_is_required_some_pages_ask_for_it(page, as_superuser, settings):
    settings.SECOND_FACTOR = "required"

    assert as_superuser.get(page).url.startswith(SETUP)
    assert as_superuser.post(page).url.startswith(SETUP)
    asked = as_superuser.get(page, follow=True).content.decode()
    assert "The page that you asked for requires a second factor" in asked
    set_up(as_superuser)
    assert as_superuser.get(page).status_code in (200, 404)


@pytest.mark.parametrize("page", PROVED)
@pytest.mark.parametrize("setting", ["off", "optional"])
def test_elsewhere_they_do_not(page, setting, as_superuser, settings):
    settings.SECOND_FACTOR = setting

    assert as_superuser.get(page).status_code in (200, 403, 404)


def test_a_revert_that_overwrites_asks_for_it(
    places,  # noqa: F811
    browse_as,
    steward,
    settings,
):
    settings.SECOND_FACTOR = "required"
    Airport.objects.filter(pk="KDEN").update(name="Denver")
    client, page = browse_as(steward), f"/admin/changesets/changeset/{Changeset.objects.first().pk}/revert/"

    assert client.get(page).status_code == 200
    for method in (client.get, client.post):
        assert method(f"{page}?on_conflict=force").url.startswith(SETUP)
    set_up(client)
    assert client.get(f"{page}?on_conflict=force").status_code == 200


def test_the_page_that_asks_does_not_show_what_is_behind_it_to_who_may_not(browse_as, outsider, settings):
    settings.SECOND_FACTOR = "required"

    assert browse_as(outsider).get("/admin/auth/user/").status_code == 403
    assert Client().get("/admin/auth/user/").url.startswith("/admin/login/")


def test_a_session_from_before_it_was_set_up_shows_it_before_changing_it(browse_as, operator):
    old = browse_as(operator)
    set_up(browse_as(operator))

    assert old.post(SETUP, {"remove": "yes"}).url.startswith(CHECK)
    assert TOTPDevice.objects.exists()


def test_a_person_makes_new_recovery_codes_and_removes_it(browse_as, operator, events):
    client = browse_as(operator)
    _device, codes = set_up(client)

    renewed = client.post(SETUP, {"codes": "new"}).content.decode()

    assert not [code for code in codes if code in renewed]
    events()
    client.post(SETUP, {"remove": "yes"})
    assert not TOTPDevice.objects.exists()
    assert not StaticToken.objects.exists()
    assert [(line["event"], line["by"]) for line in events()] == [("second_factor_removed", "olga")]


def test_who_used_a_recovery_code_makes_new_ones(client, enrolled):
    log_in(client, "olga")
    client.post(CHECK, {"code": enrolled[1][0]})

    assert client.post(SETUP, {"codes": "new"}).status_code == 200
    assert client.get(SETUP).status_code == 200


def test_a_superuser_removes_a_lost_one(client, enrolled, as_superuser, events):
    page = "/admin/otp_totp/totpdevice/"
    listed = as_superuser.get(page).content.decode()
    assert "olga" in listed
    assert enrolled[0].key not in listed
    events()

    as_superuser.post(page, {"action": "remove", "_selected_action": [enrolled[0].pk]})

    assert [(line["event"], line["user"], line["by"]) for line in events()] == [
        ("second_factor_removed", "olga", "sue")
    ]
    assert log_in(client, "olga").url == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_a_command_gives_a_recovery_code_to_who_has_none_left(client, enrolled, capsys):
    StaticToken.objects.all().delete()

    call_command("addstatictoken", "--token", "rescue42", "olga")

    log_in(client, "olga")
    assert client.post(CHECK, {"code": "rescue42"}).status_code == 302


@pytest.mark.parametrize("page", ["change", "delete", "config", "qrcode"])
def test_no_page_shows_the_key_of_somebody(page, enrolled, as_superuser):
    answer = as_superuser.get(f"/admin/otp_totp/totpdevice/{enrolled[0].pk}/{page}/")

    assert answer.status_code in (200, 302, 403)
    assert enrolled[0].key.encode() not in answer.content


def test_others_see_no_list_of_second_factors(enrolled, browse_as, make_person):
    assert browse_as(make_person("anna", group="approver")).get("/admin/otp_totp/totpdevice/").status_code == 403


def test_turned_off_nobody_is_asked(client, enrolled, settings):
    settings.SECOND_FACTOR = "off"
    log_in(client, "olga")

    page = client.get("/admin/")

    assert page.status_code == 200
    assert "Second factor" not in page.content.decode()
    assert client.get(SETUP).status_code == 404


def test_a_second_factor_that_is_gone_meanwhile_is_not_asked_for(client, enrolled):
    log_in(client, "olga")
    TOTPDevice.objects.all().delete()

    assert client.get("/admin/", follow=True).redirect_chain[-1][0] == "/admin/"


def test_what_is_typed_is_bounded(client, enrolled):
    log_in(client, "olga")

    for code in ("", "x" * 5000, "\uff11\uff12\uff13", "-1", "1e3"):
        assert client.post(CHECK, {"code": code}).status_code == 200
        TOTPDevice.objects.update(throttling_failure_timestamp=timezone.now() - timedelta(days=1))
        StaticDevice.objects.update(throttling_failure_timestamp=timezone.now() - timedelta(days=1))
    assert User.objects.filter(username="olga").exists()
