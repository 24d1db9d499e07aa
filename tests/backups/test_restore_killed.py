"""A restore that is killed at any instant leaves the database as before or as after, and the next one works."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection, connections

from apps.backups.catalogue.journal import read_journal
from apps.backups.creating import create_backup
from apps.backups.restore.database import restore
from apps.base.models import Country
from tests.backups.opening import live_contents

CHILD = """
import django, os, signal, sys; django.setup()
from apps.backups.drivers import sqlite_restoring
from apps.backups.restore.opening import find_backup
from apps.backups.restore.database import restore

def die(step=""):
    if step.startswith(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[2] == "half written":
    # Some pages are written then, and nobody else can write.
    step = sqlite_restoring.restore_into
    def restore_into(source, using, *, meanwhile=None):
        step(source, using, meanwhile=(lambda: die("half written")) if using == "default" else (lambda: None))
    sqlite_restoring.restore_into = restore_into
    sqlite_restoring.PAGES_PER_STEP = 40
restore(find_backup(sys.argv[1]), actor=None, progress=die)
"""
INSTANTS = ["put it in place", "half written"] if connection.vendor == "sqlite" else ["restore", "audit"]


@pytest.mark.parametrize("instant", INSTANTS)
def test_a_killed_restore_left_everything_as_it_was(instant: str, using: str, folder: Path) -> None:
    backup = create_backup(actor=None, reason="", using=using)
    then = live_contents(using, backup)
    Country.objects.using(using).all().delete()
    before = live_contents(using, backup)
    connections[using].close()
    settings = connections[using].settings_dict
    url = f"sqlite:///{settings['NAME']}"
    if connection.vendor == "postgresql":
        url = f"postgres://{settings['USER']}:{settings['PASSWORD']}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"
    environment = {**os.environ, "DATABASE_URL": url, "BACKUP_DIR": str(folder)}
    environment["DJANGO_SETTINGS_MODULE"] = "tests.settings"

    killed = subprocess.run([sys.executable, "-c", CHILD, backup.id, instant], env=environment, capture_output=True)

    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert live_contents(using, backup) == before
    assert read_journal()[0]["result"] == "begun"
    restore(backup, actor=None, using=using)
    assert live_contents(using, backup) == then
    assert list(folder.glob(".scratch*")) == []
