"""Backups that this installation did not sign, or that are of another database: shown, and never counted or read."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.backups.catalogue import signing
from apps.backups.catalogue.folder import sha256_of
from apps.backups.catalogue.manifests import Backup, amend, list_backups, manifest_of, newest_backup, own_backups
from apps.backups.catalogue.pruning import prune
from apps.backups.creating import create_backup
from apps.backups.errors import NoSigningKey, NotSigned
from apps.backups.objects.catalogue import backups_of
from apps.backups.objects.making import back_up_object
from apps.backups.restore.database import restore
from apps.backups.restore.opening import find_backup
from apps.backups.restore.verify import verify
from apps.base.models import Country
from apps.changesets.identity import identity_of
from apps.changesets.tracking import tracked_for
from tests.backups.test_catalogue import put
from tests.backups.test_offsite import elsewhere  # noqa: F401 - a fixture

FORGED = {"verified_at": "2026-01-01T00:00:00+00:00", "verified": "Restored into a scratch database."}


def forge(backup: Backup, **changes: object) -> None:
    """Alter a manifest as somebody does who may write in the folder, and has no key."""
    manifest = manifest_of(backup)
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **changes}))


def test_a_forged_copy_elsewhere_is_not_even_fetched(elsewhere: Path, using: str) -> None:  # noqa: F811
    made = create_backup(actor=None, reason="", using=using)
    forged, manifest = elsewhere / made.offsite, elsewhere / manifest_of(made).name
    with forged.open("ab") as file:
        file.write(b"more")
    about = {"sha256": sha256_of(forged), "size_bytes": forged.stat().st_size, **FORGED}
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **about}))
    for file in (made.file, manifest_of(made)):
        file.unlink()

    with pytest.raises(NotSigned, match="was not signed by this installation"):
        find_backup(made.id)

    assert list_backups() == []


def test_a_backup_with_another_key_is_foreign_and_nothing_reads_it(folder: Path, using: str, settings) -> None:
    made = create_backup(actor=None, reason="", using=using)
    settings.BACKUP_SIGNING_KEY = "the key of another installation"

    (foreign,) = list_backups()

    assert foreign.foreign
    for act in (lambda: verify(foreign, using=using), lambda: restore(foreign, actor=None, using=using)):
        with pytest.raises(NotSigned):
            act()
    with pytest.raises(NotSigned):
        find_backup(made.id)


def test_a_proof_that_somebody_wrote_into_a_manifest_makes_it_foreign(folder: Path, using: str) -> None:
    forge(create_backup(actor=None, reason="", using=using), **FORGED)

    assert [backup.foreign for backup in list_backups()] == [True]
    assert own_backups(using) == []


def test_amending_a_foreign_manifest_does_not_sign_it(folder: Path, using: str) -> None:
    made = create_backup(actor=None, reason="", using=using)
    forge(made, label="forged")

    amend(made, verified="good")

    assert list_backups()[0].foreign


def test_with_trust_the_command_line_restores_a_foreign_one(
    folder: Path, using: str, settings, tmp_path: Path, capsys
) -> None:
    made = create_backup(actor=None, reason="", kind="data", using=using)
    settings.BACKUP_SIGNING_KEY = "the key of another installation"
    into = tmp_path / "elsewhere.sqlite3"

    with pytest.raises(CommandError, match="not signed by this installation"):
        call_command("backup", "restore", made.id, "--into", str(into), "--json")
    call_command("backup", "restore", made.id, "--into", str(into), "--json", "--trust")

    with closing(sqlite3.connect(into)) as restored:
        assert restored.execute("SELECT count(*) FROM base_country").fetchone() == (3,)


def test_the_list_names_foreign_ones_and_keeps_other_databases_for_all(folder: Path, db: None, capsys) -> None:
    folder.mkdir()
    own, forged, other = put(days_old=3), put(days_old=2), put(days_old=1)
    forge(forged, label="forged")
    amend(other, database="another")

    def listed(*options: str) -> dict[str, str]:
        call_command("backup", "list", "--json", *options)
        return {told["id"]: told["foreign"] for told in json.loads(capsys.readouterr().out)}

    assert listed() == {own.id: "", forged.id: "not signed by this installation"}
    assert listed("--all") == {**listed(), other.id: "of another database"}


def test_the_newest_and_pruning_know_only_this_database(folder: Path, db: None) -> None:
    folder.mkdir()
    own, forged, other = put(days_old=3), put(days_old=900), put(days_old=800)
    forge(forged, label="forged")
    amend(other, database="another")

    assert newest_backup() == own
    assert prune() == []


def test_a_backup_of_chosen_tables_is_of_its_database_too(folder: Path, using: str) -> None:
    made = create_backup(actor=None, reason="", tables=("base_country",), using=using)

    assert own_backups(using) == [made]


def test_a_restored_database_stays_the_one_it_was_and_a_new_one_has_its_own_name(
    folder: Path, using: str, tmp_path: Path
) -> None:
    before = identity_of(using)
    made = create_backup(actor=None, reason="", kind="data", using=using)
    into = tmp_path / "elsewhere.sqlite3"

    restore(made, actor=None, using=using)
    restore(made, actor=None, using=using, into=str(into))

    assert before == identity_of(using) == made.database != ""
    with closing(sqlite3.connect(into)) as restored:
        assert restored.execute("SELECT name FROM changesets_identity").fetchone()[0] not in ("", before)


def test_a_lost_database_comes_back_under_its_name(folder: Path, using: str, database: Path) -> None:
    made = create_backup(actor=None, reason="", using=using)
    database.unlink()

    restore(made, actor=None, using=using)

    assert identity_of(using) == made.database


def test_the_backup_of_an_object_that_is_not_signed_is_told_and_not_offered(folder: Path, db: None) -> None:
    country = Country.objects.create(iso_code="CH", name="Switzerland")
    made = back_up_object(country, actor=None)
    document = json.loads(Path(made.place).read_text())
    Path(made.place).write_text(json.dumps({**document, "signature": "0" * 64}))

    found = backups_of(tracked_for(Country), country)

    assert found.backups == []
    assert "was not signed by this installation" in found.complaints[0]


@pytest.mark.once
def test_the_key_is_made_once_for_its_owner_alone_and_never_among_the_backups(
    folder: Path, settings, tmp_path: Path
) -> None:
    settings.BACKUP_SIGNING_KEY, settings.BACKUP_SIGNING_KEY_FILE = "", tmp_path / "key"

    signed = signing.sign({"id": "x"})

    assert signing.is_signed(signed)
    assert not signing.is_signed({**signed, "id": "y"})
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    settings.BACKUP_DIR = tmp_path
    with pytest.raises(NoSigningKey, match="set BACKUP_DIR"):
        signing.sign({})
