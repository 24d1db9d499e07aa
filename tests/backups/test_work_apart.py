"""Work in a process of its own: the one who asked only watches, and finds out how it ended."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connections

from apps.backups.catalogue.journal import read_journal
from apps.backups.creating import create_backup
from apps.backups.errors import WorkRefused
from apps.backups.work import carry_out
from tests.backups.opening import connect_to

# A process of the web server's: it asks, and watches from then on.
ASKED = """
import django, sys, time; django.setup()
from django.conf import settings
from django.contrib.auth.models import User
from apps.backups import work
anna = User.objects.create_superuser("anna")
settings.BACKUPS_AT_ONCE_BYTES = 0
asked = work.begin(work.RESTORE, actor=anna, backup=sys.argv[1], reason="a slip")
until = time.monotonic() + 90
while not work.work_of(asked.id).is_over and time.monotonic() < until:
    time.sleep(0.1)
ended = work.work_of(asked.id)
print(asked.state, ended.state, ended.safety, ended.outcome, sep="|")
"""


def url_of(using: str) -> str:
    its = connections[using].settings_dict
    if connections[using].vendor == "sqlite":
        return f"sqlite:///{its['NAME']}"
    return f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{its['NAME']}"


def test_a_process_of_its_own_restores_and_tells_how_it_ended(using: str, folder: Path, tmp_path: Path) -> None:
    backup = create_backup(actor=None, reason="", using=using)
    with connect_to(using) as live:
        live.execute("UPDATE base_country SET name = 'Damaged' WHERE iso_code = 'CH'")
    here = {"DATABASE_URL": url_of(using), "BACKUP_DIR": str(folder), "WORKER_TEST_FOLDER": str(tmp_path)}
    environment = {**os.environ, **here, "DJANGO_SETTINGS_MODULE": "tests.imports.worker_settings"}

    asking = [sys.executable, "-c", ASKED, backup.id]
    said = subprocess.run(asking, env=environment, capture_output=True, text=True, check=True).stdout

    begun, ended, safety, told = said.strip().split("|")
    assert (begun, ended) == ("waiting", "done"), told
    assert safety.endswith("-before-restore")
    assert "rows are there, as in" in told
    with connect_to(using) as live:
        assert live.execute("SELECT name FROM base_country WHERE iso_code = 'CH'").fetchone() == ("Switzerland",)
    assert (read_journal()[0]["result"], read_journal()[0]["reason"]) == ("restored", "a slip")


def test_work_that_nobody_knows_any_more_is_refused_with_a_sentence() -> None:
    with pytest.raises(WorkRefused, match="is no longer known, so nothing was done"):
        carry_out("gone")
