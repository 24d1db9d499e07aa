"""No backup logs anybody in: sessions and tokens are in no kind of it, and a restore ends all sessions."""

import gzip
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.db import connections
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.backups.catalogue.manifests import Backup
from apps.backups.creating import create_backup
from apps.backups.errors import UnknownTable
from apps.backups.kinds import BEFORE_RESTORE
from apps.backups.restore.database import restore
from apps.backups.restore.verify import verify
from apps.changesets.sql import Sql
from apps.changesets.tracking import tracked_models
from tests.backups.test_offsite import elsewhere  # noqa: F401 - a fixture

KEY, ENDED, TOKEN = "a-living-session-key", "a-session-that-ended", "a-token-of-somebody"


@pytest.fixture(autouse=True)
def logged_in(using: str) -> None:
    """Somebody is logged in, somebody else was, and a package has a table of tokens."""
    for key in (KEY, ENDED):
        Session.objects.using(using).create(session_key=key, session_data=key, expire_date=datetime.now(tz=UTC))
    Session.objects.using(using).filter(pk=ENDED).delete()


def content_of(backup: Backup) -> bytes:
    """Return all that somebody can read who has the file."""
    if backup.path.endswith(".gz"):
        return gzip.decompress(backup.file.read_bytes())
    if backup.path.endswith(".dump"):
        return subprocess.run(["pg_restore", "--file=-", backup.file], check=True, capture_output=True).stdout
    return backup.file.read_bytes()


@pytest.mark.parametrize("kind", ["full", "data", "incremental", BEFORE_RESTORE])
def test_the_key_of_a_session_is_in_no_kind_of_backup(kind: str, folder: Path, using: str) -> None:
    if kind == "incremental":
        create_backup(actor=None, reason="", using=using)

    made = create_backup(actor=None, reason="", kind=kind, using=using)

    content = content_of(made)
    assert b"base_country" in content or b"base.country" in content or kind == "incremental"
    assert KEY.encode() not in content
    assert ENDED.encode() not in content
    assert made.row_counts.get("django_session", 0) == 0


def test_tokens_of_a_package_that_came_later_are_left_out_too(folder: Path, using: str) -> None:
    sql = Sql(using)
    sql.run("CREATE TABLE authtoken_token (key varchar(40) PRIMARY KEY)")
    try:
        sql.run("INSERT INTO authtoken_token VALUES (%s)", [TOKEN])
        made = create_backup(actor=None, reason="", using=using)
        proved = verify(made, using=using)
    finally:
        sql.run("DROP TABLE authtoken_token")

    assert TOKEN.encode() not in content_of(made)
    assert proved.verified_at is not None


@pytest.fixture
def second_factor(using: str) -> TOTPDevice:
    """Somebody has a second factor and failed to log in; somebody logged in."""
    person = User.objects.db_manager(using).create_user("olga")
    StaticDevice.objects.using(using).create(user=person).token_set.create(token=TOKEN[:16])
    AccessLog.objects.using(using).create(username="olga", user_agent="a-telling-program")
    AccessAttempt.objects.using(using).create(username="olga", user_agent=KEY, failures_since_start=1)
    AccessFailureLog.objects.using(using).create(username="olga", user_agent=KEY)
    return TOTPDevice.objects.using(using).create(user=person, name="App")


@pytest.mark.parametrize("kind", ["full", "data"])
def test_second_factors_and_logs_of_logins_are_in_no_backup(
    kind: str, folder: Path, using: str, second_factor: TOTPDevice
) -> None:
    made = create_backup(actor=None, reason="", kind=kind, using=using)

    content = content_of(made)
    for secret in (second_factor.key, TOKEN[:16], "a-telling-program", KEY):
        assert secret.encode() not in content
    assert not [table for table, rows in made.row_counts.items() if table.startswith(("axes_", "otp_")) and rows]
    assert verify(made, using=using).verified_at is not None


def test_no_table_of_logging_in_is_tracked() -> None:
    assert not [tracked.table for tracked in tracked_models() if tracked.table.startswith(("axes_", "otp_"))]


def test_a_named_table_is_left_out_and_cannot_be_chosen(folder: Path, using: str, settings) -> None:
    settings.BACKUPS_LEAVE_OUT = ["auth_grou?"]
    Group.objects.using(using).create(name="left out")

    made = create_backup(actor=None, reason="", using=using)

    assert made.row_counts["auth_group"] == 0
    with pytest.raises(UnknownTable):
        create_backup(actor=None, reason="", tables=("auth_group",), using=using)


@pytest.mark.parametrize("kind", ["full", "data"])
def test_after_a_restore_nobody_is_logged_in(kind: str, folder: Path, using: str) -> None:
    made = create_backup(actor=None, reason="", kind=kind, using=using)

    restore(made, actor=None, using=using)

    assert not Session.objects.using(using).exists()
    connections[using].close()


def test_a_setting_demands_that_copies_are_encrypted(
    elsewhere: Path,  # noqa: F811
    using: str,
    settings,
    caplog,
) -> None:
    settings.BACKUPS_DEMAND_ENCRYPTION = True

    made = create_backup(actor=None, reason="", using=using)

    assert made.offsite == ""
    assert "demand that copies are encrypted" in caplog.text
    assert not elsewhere.exists()
