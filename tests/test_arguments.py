"""Arguments of commands that nobody means are refused in one sentence."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.backups.creating import create_backup

pytestmark = pytest.mark.django_db
NUL = "a\x00b"


@pytest.mark.parametrize(
    "words",
    [
        ("import_airports", "--file", NUL),
        ("import_airports", "--file", "x.csv", "--map", "ident=a", NUL),
        ("changesets", "revert", "1", "--reason", NUL),
        ("backup", "restore", NUL),
        ("loaddata", NUL),
        ("check", NUL),
    ],
)
def test_a_nul_is_refused(words):
    with pytest.raises(CommandError, match="has a NUL in it"):
        call_command(*words)


def test_a_text_without_end_is_refused():
    with pytest.raises(CommandError, match="is longer than 4,096 characters"):
        call_command("changesets", "revert", "1", "--reason", "a" * 5000)


def test_an_app_that_there_is_not_is_told():
    with pytest.raises(CommandError, match="No installed app with label 'nothing'"):
        call_command("check", "nothing")


def test_a_question_that_nobody_can_answer_is_told(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())

    with pytest.raises(CommandError, match="This needs an answer"):
        call_command("flush")


@pytest.mark.parametrize("target", ["nan", "1", "restored"])
def test_a_mistyped_place_makes_no_file(target, tmp_path: Path, monkeypatch, settings):
    monkeypatch.chdir(tmp_path)
    settings.BACKUP_DIR = tmp_path / "backups"
    backup = create_backup(actor=None, reason="")

    with pytest.raises(CommandError, match="is no place to restore into"):
        call_command("backup", "restore", backup.id, "--into", target)

    assert [file.name for file in tmp_path.iterdir()] == ["backups"]
