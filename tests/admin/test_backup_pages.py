"""The pages about backups of the whole database: what a person is told, and what becomes of it."""

import os
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from apps.airports.models import Airport
from apps.backups import work
from apps.backups.catalogue.journal import read_journal
from apps.backups.catalogue.manifests import Backup, list_backups
from apps.backups.creating import create_backup
from apps.backups.errors import RestoreRefused
from apps.backups.kinds import BEFORE_RESTORE
from apps.backups.restore.database import restore
from apps.base.models import Country
from apps.changesets.models import Changeset
from apps.changesets.processes.progress import board, entry

LIST = "/admin/backups/backup/"


@pytest.fixture(autouse=True)
def all_at_once(settings) -> None:
    """However large the database of the tests has become on the disk."""
    settings.BACKUPS_AT_ONCE_BYTES = 2**40


@pytest.fixture
def approver(make_person: Callable[..., User]) -> User:
    """Anna, who may also restore."""
    return make_person("anna", group="approver")


@pytest.fixture
def boss(approver: User) -> User:
    """Anna, who is a superuser now."""
    approver.is_superuser = True
    approver.save()
    return approver


@pytest.fixture
def made(places: dict[str, Any], approver: User) -> Backup:
    """A full backup of the places."""
    return create_backup(actor=approver, reason="before the summer", label="spring")


def page(client: Client, address: str = "") -> str:
    response = client.get(LIST + address)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.django_db
def test_an_empty_list_says_what_to_do_first(steward, viewer, browse_as) -> None:
    assert "Back up the database</a> before anything else" in page(browse_as(steward))
    assert "Ask somebody with the permission to make one now" in page(browse_as(viewer))


@pytest.mark.django_db
def test_a_backup_is_made_and_listed_with_what_it_is(steward, browse_as, places) -> None:
    client = browse_as(steward)

    response = client.post(f"{LIST}add/", {"kind": "full", "label": "spring"}, follow=True)

    (backup,) = list_backups()
    assert "Backed up" in response.content.decode()
    assert (backup.actor, backup.label) == ("stan", "spring")
    text = page(client)
    assert f"{backup.id}</code>" in text
    assert "“spring”" in text
    assert "not verified" in text
    assert "it has a label" in text


@pytest.mark.django_db
def test_looking_changes_nothing(made, boss, browse_as) -> None:
    client, before = browse_as(boss), sorted(made.file.parent.iterdir())

    for address in ("", "?elsewhere=1", "add/", f"{made.id}/restore/"):
        client.get(LIST + address)

    assert sorted(made.file.parent.iterdir()) == before


@pytest.mark.django_db
def test_the_file_is_given_to_who_may(made, boss, browse_as) -> None:
    response = browse_as(boss).post(f"{LIST}{made.id}/download/")

    assert b"".join(response.streaming_content) == made.file.read_bytes()
    assert response["Content-Disposition"] == f'attachment; filename="{made.path}"'


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["20200101-000000-full", "manage", "settings"])
def test_a_backup_that_is_not_there_is_not_found(name, boss, browse_as) -> None:
    client = browse_as(boss)

    assert client.get(f"{LIST}{name}/restore/").status_code == 404
    assert client.get(f"{LIST}{name}/download/").status_code == 404
    assert client.post(f"{LIST}{name}/download/").status_code == 404
    assert client.post(f"{LIST}{name}/verify/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_verifying_shows_the_proof(made, approver, browse_as) -> None:
    client = browse_as(approver)

    response = client.post(f"{LIST}{made.id}/verify/", follow=True)

    assert "Restored into a scratch database" in response.content.decode()
    assert "✓</b> verified" in page(client)


@pytest.mark.django_db(transaction=True)
def test_a_backup_that_was_altered_is_told_to_be_no_good(made, approver, browse_as) -> None:
    with made.file.open("r+b") as stream:
        stream.truncate(1000)
    client = browse_as(approver)

    response = client.post(f"{LIST}{made.id}/verify/", follow=True)

    assert "is not whole" in response.content.decode()
    assert "not good" in page(client)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("posted", "sentence"),
    [
        ({"name": "spring", "reason": "a mistake"}, "Type the name of the backup"),
        ({"name": "", "reason": "a mistake"}, "Type the name of the backup"),
        ({"reason": ""}, "Say why: others will read it beside the change."),
    ],
)
def test_without_name_and_reason_nothing_is_restored(posted, sentence, made, boss, browse_as) -> None:
    response = browse_as(boss).post(f"{LIST}{made.id}/restore/", {"name": made.id, **posted})

    assert sentence in response.content.decode()
    assert (list_backups(), read_journal()) == ([made], [])


@pytest.mark.django_db(transaction=True)
def test_the_restore_page_says_what_will_be_lost(made, boss, browse_as, edit) -> None:
    edit("KDEN", name="Denver")
    Airport.objects.filter(pk="KBKF").delete()

    text = page(browse_as(boss), f"{made.id}/restore/")

    assert "<strong>3</strong> airports will be there; now there are 2" in text
    assert "<strong>2</strong>" in text.partition("made since will be gone")[0][-200:]
    assert "It is not verified yet" in text


@pytest.mark.django_db(transaction=True)
def test_a_restore_brings_back_the_rows_and_leaves_the_way_back(made, boss, browse_as, edit) -> None:
    edit("KDEN", name="Damaged")
    client = browse_as(boss)

    response = client.post(f"{LIST}{made.id}/restore/", {"name": made.id, "reason": "it was damaged"})

    assert Airport.objects.get(pk="KDEN").name == "Denver International Airport"
    safety = list_backups()[0]
    assert safety.kind == BEFORE_RESTORE
    assert (read_journal()[0]["result"], read_journal()[0]["reason"]) == ("restored", "it was damaged")
    # Every session ends: who logs in again finds the outcome.
    client = browse_as(User.objects.get(username="anna"))
    text = client.get(response["Location"]).content.decode()
    assert "Restored" in text
    assert f"{safety.id}/restore/" in text
    assert "it was damaged" in page(client)


@pytest.mark.django_db
def test_only_one_thing_is_done_at_a_time(made, approver, browse_as, settings, monkeypatch) -> None:
    settings.BACKUPS_AT_ONCE_BYTES = 0
    started = []
    # What begins apart has the turn as long as it lives.
    monkeypatch.setattr(work, "_start_apart", lambda begun, turn: started.append((begun, os.dup(turn))))
    client = browse_as(approver)
    client.post(f"{LIST}{made.id}/verify/")

    response = client.post(f"{LIST}add/", {"kind": "full"})

    assert "anna started something else (verify): wait until it is finished." in response.content.decode()
    assert len(started) == 1
    assert "Watch</a>" in page(client)
    begun, turn = started[0]
    assert client.get(f"{LIST}work/{begun.id}/progress/").json()["status"] == "waiting"
    os.close(turn)
    assert client.get(f"{LIST}work/{begun.id}/progress/").json()["status"] == "failed"


@pytest.mark.django_db
def test_work_whose_process_is_gone_has_failed_and_is_in_nobodys_way(made, approver, browse_as, settings) -> None:
    dead = work.Work("dead", work.VERIFY, approver.pk, "anna", begun=timezone.now().timestamp() - 3600)
    work._save(dead)
    board().set(entry("backups", "turn"), dead.id)

    text = page(browse_as(approver), "work/dead/")

    assert "stopped unexpectedly" in text
    assert work.begin(work.CREATE, actor=approver).state == work.DONE


@pytest.fixture
def with_increments(made: Backup, edit: Callable[..., Any]) -> list[Any]:
    """Two edits after the full backup, and an increment that holds both."""
    edits = [edit("KDEN", name="Denver"), edit("KDEN", name="Oops")]
    create_backup(actor=None, reason="", kind="incremental")
    return edits


@pytest.mark.django_db(transaction=True)
def test_a_person_goes_back_to_a_changeset_after_the_backup(made, with_increments, boss, browse_as) -> None:
    client, address = browse_as(boss), f"{made.id}/restore/?what=upto&upto={with_increments[0].pk}"

    text = page(client, address)
    client.post(LIST + address, {"name": made.id, "reason": "only the slip goes"})

    assert f"right after changeset #{with_increments[0].pk}." in text
    assert f'<option value="{with_increments[0].pk}">' in text
    assert "<strong>1</strong>" in text.partition("made since will be gone")[0][-200:]
    assert Airport.objects.get(pk="KDEN").name == "Denver"
    assert (read_journal()[0]["result"], read_journal()[0]["upto"]) == (
        "restored",
        f"changeset #{with_increments[0].pk}",
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("upto", "sentence"),
    [("9999", "No incremental backup reaches changeset #9999"), ("yesterday", "is neither"), ("", "is neither")],
)
def test_a_changeset_that_no_increment_reaches_is_refused_before_anything_begins(
    upto, sentence, made, with_increments, boss, browse_as
) -> None:
    client = browse_as(boss)

    response = client.post(f"{LIST}{made.id}/restore/?what=upto&upto={upto}", {"name": made.id, "reason": "a slip"})

    text = response.content.decode()
    assert sentence in text
    assert "Type the name" not in text
    assert read_journal() == []


@pytest.mark.django_db
def test_without_increments_there_is_no_changeset_to_choose(made, boss, browse_as) -> None:
    text = page(browse_as(boss), f"{made.id}/restore/")

    assert "up to a changeset" not in text
    assert "Only the rows of these tables" in text


@pytest.mark.django_db(transaction=True)
def test_a_person_brings_back_the_rows_of_chosen_tables_as_a_changeset(made, approver, browse_as, edit) -> None:
    edit("KDEN", name="Damaged")
    Country.objects.filter(iso_code="DE").update(name="Allemagne")
    client, address = browse_as(approver), f"{made.id}/restore/?what=tables&table=airports_airport"

    text = page(client, address)
    done = client.post(LIST + address, {"name": made.id, "reason": "the names"}, follow=True).content.decode()

    assert "The table airports_airport becomes what it was" in text
    assert "countries will be there" not in text
    assert "Restore 1 table<" in text
    assert Airport.objects.get(pk="KDEN").name == "Denver International Airport"
    assert Country.objects.get(iso_code="DE").name == "Allemagne"
    restored = Changeset.objects.get(kind="restore")
    assert (restored.actor, restored.reason) == (approver, "the names")
    assert f"changeset #{restored.pk}</a>, which can be reverted" in done


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("what=tables", "Tick the tables"),
        ("what=tables&table=airports_historicalairport", "is not one of the available choices"),
        ("what=half", "half is not one of the available choices"),
        ("what=everything&table=airports_airport", "or untick them"),
        ("what=everything&upto=1", "or empty the field"),
        ("what=upto&upto=1", "upto is not one of the available choices"),
    ],
)
def test_what_cannot_be_restored_by_itself_is_not(query, sentence, made, boss, browse_as) -> None:
    response = browse_as(boss).post(f"{LIST}{made.id}/restore/?{query}", {"name": made.id, "reason": "a slip"})

    assert sentence in response.content.decode()
    assert read_journal() == []


@pytest.mark.django_db
def test_who_is_no_superuser_downloads_nothing(made, approver, browse_as) -> None:
    assert browse_as(approver).get(f"{LIST}{made.id}/download/").status_code == 403
    assert "Download" not in page(browse_as(approver))


@pytest.mark.django_db
def test_looking_at_a_download_gives_and_notes_nothing(made, boss, browse_as) -> None:
    answer = browse_as(boss).get(f"{LIST}{made.id}/download/")

    assert '<button type="submit" class="button default">Download</button>' in answer.content.decode()
    assert read_journal() == []


@pytest.mark.django_db
def test_who_downloaded_is_written_down_and_shown(made, boss, browse_as) -> None:
    list(browse_as(boss).post(f"{LIST}{made.id}/download/").streaming_content)

    assert (read_journal()[0]["actor"], read_journal()[0]["backup"]) == ("anna", made.id)
    assert "downloaded</span>" in page(browse_as(boss))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("query", ["", "?what=everything", "?what=tables&table=auth_user"])
def test_who_is_no_superuser_restores_no_accounts(query, made, approver, browse_as) -> None:
    client = browse_as(approver)

    text = page(client, f"{made.id}/restore/{query}")
    client.post(f"{LIST}{made.id}/restore/{query}", {"name": made.id, "reason": "I want to be superuser"})

    assert "Only a superuser restores accounts" in text
    assert "Restore the database<" not in text
    assert read_journal() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("tables", [(), ("auth_user",), ("base_country", "auth_group")])
def test_no_other_door_restores_accounts_for_them_either(tables, made, approver) -> None:
    with pytest.raises(RestoreRefused, match="Only a superuser"):
        restore(made, actor=approver, tables=tables)

    assert read_journal() == []


@pytest.mark.django_db
def test_only_tracked_tables_are_offered(made, boss, browse_as) -> None:
    text = page(browse_as(boss), f"{made.id}/restore/")

    assert 'value="airports_airport"' in text
    assert 'value="auth_user"' not in text


@pytest.mark.django_db
def test_what_this_installation_did_not_sign_is_shown_apart_and_offered_to_nobody(
    made, boss, browse_as, settings
) -> None:
    settings.BACKUP_SIGNING_KEY = "the key of another installation"
    client = browse_as(boss)

    text = page(client)
    client.post(f"{LIST}{made.id}/restore/", {"name": made.id, "reason": "it is there"})

    assert "Not of this database" in text
    assert "not signed by this installation" in text
    assert f"{made.id}/restore/" not in text
    assert read_journal() == []
