"""Back up and Restore on an object's page: what is written, what is shown, what is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from apps.airports.models import Airport
from apps.backups.catalogue.signing import sign
from apps.backups.objects.catalogue import ObjectBackup, object_folder
from apps.backups.objects.document import hash_of
from apps.backups.objects.making import back_up_object
from apps.base.models import City, Country
from apps.changesets.context import changeset
from apps.changesets.models import Changeset

pytestmark = pytest.mark.django_db
BACK_UP = "/admin/airports/airport/KDEN/actions/backup/"
RESTORE = "/admin/airports/airport/KDEN/actions/restore/"


@pytest.fixture
def backup(places) -> ObjectBackup:
    """A backup of Denver's airport as it was imported."""
    return back_up_object(places["KDEN"], actor=None, reason="before the summer")


@pytest.fixture
def restore(steward: User, browse_as: Callable) -> Callable[..., Any]:
    """Return a function that opens the plan of a backup as a steward and posts it; gives the answer."""

    def post(name: str, *fields: str, address: str = RESTORE, **more: Any) -> Any:
        client = browse_as(steward)
        token = client.get(f"{address}?backup={name}").context.get("token")
        seen = {"seen": token} if token else {}
        return client.post(address, {"backup": name, "field": fields, "reason": "was right", **seen, **more})

    return post


def rewrite(backup: ObjectBackup, *, honest: bool = True, **changes: Any) -> None:
    """Change the file of a backup; an honest one carries the hash of what it says then."""
    document = json.loads(Path(backup.place).read_text(encoding="utf-8")) | changes
    if honest:
        document["sha256"] = hash_of(document)
        document = sign(document)
    Path(backup.place).write_text(json.dumps(document), encoding="utf-8")


def delete(person: User, *airports: str) -> None:
    with changeset(kind="delete", actor=person):
        Airport.objects.filter(pk__in=airports).delete()


# -- backing up --------------------------------------------------------------------------------------------------


def test_opening_the_page_writes_nothing(places, operator, browse_as):
    page = browse_as(operator).get(BACK_UP)

    assert "Back up this airport" in page.content.decode()
    assert not object_folder().exists()


def test_a_backup_is_a_private_file_that_says_what_it_is(places, operator, browse_as):
    answer = browse_as(operator).post(BACK_UP, {"reason": "before the summer"})

    (file,) = object_folder().iterdir()
    document = json.loads(file.read_text(encoding="utf-8"))
    assert answer.url == "/admin/airports/airport/KDEN/change/"
    assert (document["model"], document["key"]) == ("airports.airport", "KDEN")
    assert document["schema"].startswith("airports.0")
    assert (document["made_by"], document["reason"]) == ("olga", "before the summer")
    assert document["fields"]["iata_code"] == "DEN"
    assert document["links"]["city"]["codes"] == {"country": {"iso_code": "US"}, "search_name": "denver"}
    assert document["sha256"] == hash_of(document)
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_backup_without_a_reason_is_not_made(places, operator, browse_as):
    page = browse_as(operator).post(BACK_UP, {}).content.decode()

    assert "Say why" in page
    assert not object_folder().exists()


def test_two_backups_of_one_second_are_two_files(places):
    made = [back_up_object(places["KDEN"], actor=None) for _ in range(3)]

    assert len({backup.name for backup in made}) == len(list(object_folder().iterdir())) == 3


def test_a_folder_that_cannot_be_written_is_told_on_the_page(places, operator, browse_as, settings, tmp_path):
    settings.BACKUP_DIR = tmp_path / "a file" / "backups"
    (tmp_path / "a file").write_text("")

    page = browse_as(operator).post(BACK_UP, {"reason": "x"}).content.decode()

    assert "Backups cannot be written in" in page


def test_the_object_deleted_in_another_tab_is_not_backed_up(places, operator, steward, browse_as):
    delete(steward, "KDEN")

    answer = browse_as(operator).post(BACK_UP, {"reason": "x"}, follow=True)

    assert "KDEN · Denver International Airport is deleted: nothing was done." in answer.content.decode()
    assert not object_folder().exists()


def test_machines_with_folders_of_their_own_share_a_storage(places, steward, settings, tmp_path, edit, restore):
    shared = {"BACKEND": "django.core.files.storage.InMemoryStorage", "OPTIONS": {"location": "test-shared"}}
    settings.STORAGES = {**settings.STORAGES, "object_backups": shared}
    made = back_up_object(places["KDEN"], actor=steward, reason="here")
    edit("KDEN", name="Denver Intl")

    settings.BACKUP_DIR = tmp_path / "another-machine"
    restore(made.name, "name")

    assert Airport.objects.get(pk="KDEN").name == "Denver International Airport"
    assert not object_folder().exists()


def test_a_storage_that_is_down_is_told_on_the_page(places, operator, browse_as, settings):
    settings.STORAGES = {**settings.STORAGES, "object_backups": {"BACKEND": "tests.backups.test_offsite.Down"}}

    page = browse_as(operator).post(BACK_UP, {"reason": "x"}).content.decode()

    assert "cannot be reached (no route to the bucket): check STORAGES[&#x27;object_backups&#x27;]" in page


# -- restoring ---------------------------------------------------------------------------------------------------


def test_the_backups_of_this_object_are_listed_newest_first(backup, places, steward, browse_as):
    newer = back_up_object(places["KDEN"], actor=steward, reason="again")
    back_up_object(places["EDDM"], actor=steward)

    listed = browse_as(steward).get(RESTORE).context["backups"]

    assert [each.name for each in listed] == [newer.name, backup.name]


def test_the_plan_shows_now_and_backup_field_by_field(backup, steward, browse_as, edit):
    edit("KDEN", name="Denver Intl", elevation_ft=1, city=None)

    page = browse_as(steward).get(f"{RESTORE}?backup={backup.name}").content.decode()

    assert "<del>Denver Intl</del>" in page
    assert "<ins>Denver International Airport</ins>" in page
    assert "<ins>Denver</ins>" in page
    assert page.count('name="field"') == 3


def test_only_the_ticked_fields_are_restored_as_one_changeset(backup, steward, restore, edit):
    edit("KDEN", name="Denver Intl", elevation_ft=1)

    restore(backup.name, "name")

    airport, made = Airport.objects.get(pk="KDEN"), Changeset.objects.first()
    assert (airport.name, airport.elevation_ft) == ("Denver International Airport", 1)
    assert (made.kind, made.actor, made.reason, made.source_name) == ("restore", steward, "was right", backup.file_name)


def test_an_airport_with_what_upstream_last_said_is_restored_and_brought_back(places, steward, browse_as, restore):
    Airport.objects.filter(pk="KDEN").update(upstream={"ident": "KDEN", "name": "Denver Intl"})
    backup = back_up_object(Airport.objects.get(pk="KDEN"), actor=None)
    Airport.objects.filter(pk="KDEN").update(name="wrong")

    restore(backup.name, "name")
    name = Airport.objects.get(pk="KDEN").name
    delete(steward, "KDEN")
    restore(backup.name)

    assert name == "Denver International Airport"
    assert Airport.objects.get(pk="KDEN").upstream == {"ident": "KDEN", "name": "Denver Intl"}


def test_the_name_of_the_file_will_do(backup, places, restore, edit):
    edit("KDEN", name="wrong")

    restore(backup.file_name, "name")

    assert Airport.objects.get(pk="KDEN").name == "Denver International Airport"


def test_an_object_that_is_renamed_is_known_by_its_number(backup, places, restore):
    Airport.objects.filter(pk="KDEN").update(ident="KDNX", name="Moved")

    restore(backup.name, "name", address="/admin/airports/airport/KDNX/actions/restore/")

    assert Airport.objects.get(source_id=3486).ident == "KDNX"
    assert Airport.objects.get(source_id=3486).name == "Denver International Airport"


def test_a_deleted_object_comes_back_whole_from_its_history(backup, steward, browse_as, restore):
    before = Airport.objects.filter(pk="KDEN").values().get()
    delete(steward, "KDEN")

    page = browse_as(steward).get("/admin/airports/airport/KDEN/history/").content.decode()
    restore(backup.name)

    assert f'href="{RESTORE}">Restore from a backup…</a>' in page
    assert Airport.objects.filter(pk="KDEN").values().get() == before


@pytest.mark.parametrize(("lives", "verb"), [(True, "change"), (False, "add")])
def test_what_lives_asks_who_may_change_it_and_what_is_gone_who_may_add_it(lives, verb, backup, outsider, browse_as):
    if not lives:
        delete(outsider, "KDEN")
    answers = {}
    for may in ("change", "add"):
        names = ("view_airport", "restore_airport", f"{may}_airport")
        outsider.user_permissions.set(Permission.objects.filter(codename__in=names))
        answers[may] = browse_as(outsider).get(RESTORE).status_code

    assert answers == {"change": 403, "add": 403} | {verb: 200}


def test_a_deleted_object_without_a_backup_offers_none(backup, steward, browse_as):
    delete(steward, "EDDM")

    page = browse_as(steward).get("/admin/airports/airport/EDDM/history/").content.decode()

    assert "is deleted" in page
    assert "Restore from a backup" not in page


def test_a_city_that_was_made_again_is_linked_by_its_codes(backup, places, steward, restore):
    with changeset(kind="edit", actor=steward):
        places["denver"].delete()
        again = City.objects.create(country=places["usa"], name="Denver")

    restore(backup.name, "city")

    assert Airport.objects.get(pk="KDEN").city == again


def test_a_link_to_what_is_gone_is_named_and_nothing_is_written(backup, places, steward, restore):
    with changeset(kind="delete", actor=steward):
        places["denver"].delete()

    page = restore(backup.name, "city").content.decode()

    assert "Nothing was restored: its city Denver is deleted" in page
    assert Airport.objects.get(pk="KDEN").city is None


def test_a_unique_value_that_somebody_else_has_is_named(places, restore):
    backup = back_up_object(places["denver"], actor=None)
    with changeset(kind="edit", actor=None):
        City.objects.filter(pk=places["denver"].pk).update(name="Old", search_name="old", slug="old")
        City.objects.create(country=places["usa"], name="Denver")

    page = restore(backup.name, "name", address=f"/admin/base/city/{places['denver'].pk}/actions/restore/")

    assert "Nothing was restored: search name denver is that of Denver now." in page.content.decode()
    assert City.objects.get(pk=places["denver"].pk).name == "Old"


def test_a_backup_whose_number_another_airport_has_by_now_changes_neither(backup, places, restore):
    with changeset(kind="edit", actor=None):
        Airport.objects.filter(pk="KDEN").update(source_id=None, name="Denver Intl")
        Airport.objects.filter(pk="KBKF").update(source_id=3486)

    page = restore(backup.name, "name", "ident").content.decode()

    assert "is of what is KBKF · Buckley Space Force Base by now, not of KDEN" in page
    assert Airport.objects.get(pk="KDEN").name == "Denver Intl"
    assert Airport.objects.get(pk="KBKF").name == "Buckley Space Force Base"


def test_a_change_meanwhile_is_shown_first(backup, steward, browse_as, edit):
    edit("KDEN", name="Denver Intl")
    client = browse_as(steward)
    seen = client.get(f"{RESTORE}?backup={backup.name}").context["token"]
    edit("KDEN", name="Theirs")

    page = client.post(RESTORE, {"backup": backup.name, "field": ["name"], "seen": seen, "reason": "x"})

    assert "somebody changed it since you opened this page" in page.content.decode()
    assert Airport.objects.get(pk="KDEN").name == "Theirs"


# -- bad input ---------------------------------------------------------------------------------------------------


def refused(restore: Callable, name: str) -> str:
    """Post the restoring of a damaged airport; return the page, having seen that nothing was written."""
    with changeset(kind="edit", actor=None):
        Airport.objects.filter(pk="KDEN").update(name="Denver Intl")
    before = Changeset.objects.count()

    page = restore(name, "name").content.decode()

    assert Changeset.objects.count() == before
    assert Airport.objects.get(pk="KDEN").name == "Denver Intl"
    return page


def test_an_altered_backup_is_refused(backup, restore):
    rewrite(backup, honest=False, fields={**backup.fields, "name": "Denver, altered"})

    page = refused(restore, backup.name)

    assert "was altered after it was made" in page
    assert "Denver, altered" not in page


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"model": "airports.airport"}', "\x00"])
def test_a_file_that_is_no_backup_is_refused(backup, restore, text):
    Path(backup.place).write_text(text)

    assert "cannot be read" in refused(restore, backup.name)


def test_a_file_that_is_not_text_is_refused(backup, restore):
    Path(backup.place).write_bytes(b"\xff\xfe\x80")

    assert "cannot be read" in refused(restore, backup.name)


@pytest.mark.parametrize("name", ["../KDEN", "/etc/passwd", "..", "a/b", "x" * 300, "%2e%2e%2fx"])
def test_a_name_that_is_no_name_is_refused(backup, restore, name):
    assert "is not the name of a backup" in refused(restore, name)


def test_a_backup_that_is_not_there_is_told(backup, restore):
    assert "There is no backup nothing-like-it any more" in refused(restore, "nothing-like-it")


def test_a_backup_of_another_object_is_refused(places, restore):
    other = back_up_object(places["EDDM"], actor=None)

    page = refused(restore, other.name)

    assert f"The backup {other.name} is of EDDM · Munich Airport, not of KDEN · Denver Intl." in page


def test_a_backup_of_another_model_is_refused(places, restore):
    other = back_up_object(places["usa"], actor=None)

    assert "is one of another kind of object, base.country United States (US)" in refused(restore, other.name)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"runway": 3}, "the table no longer has runway"),
        ({"municipality": ...}, "the backup does not have municipality"),
        ({"elevation_ft": "high"}, "the table no longer takes the backup&#x27;s elevation_ft"),
        ({"iso_country": "USA"}, "the table no longer takes the backup&#x27;s iso_country"),
    ],
)
def test_a_backup_of_another_schema_names_the_fields_and_waits_for_a_choice(backup, restore, changed, sentence):
    fields = {name: value for name, value in (backup.fields | changed).items() if value is not ...}
    rewrite(backup, fields=fields, schema="airports.0002_airport_core_integrations")

    page = refused(restore, backup.name)
    restore(backup.name, "name", rest="yes")

    assert sentence in page
    assert "made with airports.0002_airport_core_integrations, and the table is at airports.0" in page
    assert Airport.objects.get(pk="KDEN").name == "Denver International Airport"
    assert Airport.objects.get(pk="KDEN").municipality == "Denver"


def test_a_backup_is_downloaded_as_it_is(backup, steward, browse_as):
    answer = browse_as(steward).get(f"{RESTORE}?backup={backup.name}&download=yes")

    assert answer["Content-Disposition"] == f'attachment; filename="{backup.file_name}"'
    assert b"".join(answer.streaming_content) == Path(backup.place).read_bytes()


def test_an_altered_backup_is_not_downloaded(backup, steward, browse_as):
    rewrite(backup, honest=False, reason="mine")

    answer = browse_as(steward).get(f"{RESTORE}?backup={backup.name}&download=yes")

    assert "was altered after it was made" in answer.content.decode()


def test_the_list_says_which_files_are_damaged(backup, places, steward, browse_as):
    rewrite(backup, honest=False, reason="mine")

    page = browse_as(steward).get(RESTORE).content.decode()

    assert f"The backup {backup.name} was altered" in page
    assert "No backup of it can be used." in page
    assert "Compare and restore" not in page


def test_countries_and_cities_have_the_same_buttons(places, steward, browse_as, restore):
    made = back_up_object(places["usa"], actor=None)
    Country.objects.filter(pk=places["usa"].pk).update(name="USA")

    restore(made.name, "name", address=f"/admin/base/country/{places['usa'].pk}/actions/restore/")

    assert Country.objects.get(iso_code="US").name == "United States"


# -- a folder that several installations share ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("database", "why"), [("another", "of another database"), ("", "of a database that it does not name")]
)
def test_a_backup_of_another_database_is_shown_as_such_below_ours(places, steward, browse_as, backup, database, why):
    other = back_up_object(places["KDEN"], actor=None, reason="theirs")
    rewrite(other, database=database)
    client = browse_as(steward)

    page = client.get(RESTORE)

    assert [(each.name, each.why_not_own) for each in page.context["backups"]] == [(backup.name, ""), (other.name, why)]
    assert page.content.decode().count(f"<b>{why}</b>") == 1
    assert why in client.get(f"{RESTORE}?backup={other.name}").content.decode()
    assert why not in client.get(f"{RESTORE}?backup={backup.name}").content.decode()
