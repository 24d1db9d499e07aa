"""The whole way of a small file through the admin: upload, review, confirm, and the changeset where it ends."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.airports.models import Airport
from apps.changesets.models import Changeset
from apps.imports.models import ImportRun
from tests.admin.runs import IMPORTS, act, page, seen_on, told
from tests.imports.files import csv_text

pytestmark = pytest.mark.django_db
SNAPSHOT = [
    {"id": "1", "ident": "KDEN", "name": "Denver International Airport"},
    {"id": "2", "ident": "KAPA", "name": "Centennial Airport", "iata_code": "APA"},
    {"id": "3", "ident": "KBKF", "name": "Buckley Air Force Base", "iata_code": "BKF"},
]


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path) -> None:
    kept = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path / "kept")}}
    settings.STORAGES = {**settings.STORAGES, "imports": kept}


@pytest.fixture
def client_of(browse_as, operator):
    return browse_as(operator)


def upload(client, content: str | bytes, name: str = "airports.csv", **posted) -> ImportRun:
    file = SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)
    data = {"source": "snapshot", "links": ["country", "city"], "reason": "spring refresh", "import_file": file}
    answer = client.post("/admin/airports/airport/import/", {**data, **posted})
    assert answer.status_code == 302, answer.context["form"].errors
    return ImportRun.objects.latest("pk")


def confirm(client, run: ImportRun, **posted):
    run.refresh_from_db()
    return act(client, run, "confirm", seen=seen_on(client, run), reason=run.reason, **posted)


def imported(client, *rows: dict, **posted):
    return confirm(client, upload(client, csv_text(*rows), **posted))


def test_a_small_file_is_planned_at_once_and_nothing_is_written_yet(client_of):
    run = upload(client_of, csv_text(*SNAPSHOT))

    assert run.status == "planned"
    assert "Import 3 changes" in page(client_of, run).content.decode()
    assert not Airport.objects.exists()


def test_a_confirmed_small_file_lands_on_its_changeset(client_of):
    response = imported(client_of, *SNAPSHOT)

    made = Changeset.objects.get()
    assert response.redirect_chain[-1][0] == f"/admin/changesets/changeset/{made.pk}/change/"
    assert told(response)[0].startswith("Imported airports.csv.")
    assert Airport.objects.count() == 3
    assert (made.reason, made.actor.username) == ("spring refresh", "olga")


def test_the_changeset_tells_what_the_import_left_alone_and_why(client_of, edit, steward):
    imported(client_of, *SNAPSHOT)
    edit("KAPA", actor=steward, name="Centennial by hand")
    bad = {"id": "4", "ident": "KXXX", "name": "Nowhere", "latitude_deg": "95"}

    response = imported(client_of, {**SNAPSHOT[0], "name": "Denver"}, {**SNAPSHOT[1], "name": "Centennial"}, bad)

    shown = " ".join(response.content.decode().split())
    rows = f"/admin/imports/importrun/{ImportRun.objects.latest('pk').pk}/change/?bucket="
    assert "What was left alone" in shown
    assert f'<a href="{rows}kept#rows-title">object kept a correction made here</a>' in shown
    assert f'<a href="{rows}refused#rows-title">row of the file was refused</a>' in shown


def test_the_changeset_leads_back_to_the_import(client_of):
    imported(client_of, *SNAPSHOT)
    run = ImportRun.objects.get()

    shown = client_of.get(f"/admin/changesets/changeset/{run.changeset_id}/change/").content.decode()

    assert f'<a href="/admin/imports/importrun/{run.pk}/change/">The import</a>' in shown


def test_the_list_is_filtered_to_what_an_import_changed(client_of):
    imported(client_of, *SNAPSHOT)
    renamed = [SNAPSHOT[0], {**SNAPSHOT[1], "name": "Centennial"}, SNAPSHOT[2]]
    imported(client_of, *renamed)
    run = ImportRun.objects.latest("pk")

    address = page(client_of, run).context["changed_url"]
    listed = client_of.get(address)

    assert [airport.pk for airport in listed.context["cl"].result_list] == ["KAPA"]
    assert f"Changed by #{run.changeset_id}" in listed.content.decode()


@pytest.mark.parametrize("number", ["0", "x", "9" * 30, "-1"])
def test_a_changeset_that_is_not_there_changed_nothing(client_of, number):
    imported(client_of, *SNAPSHOT)

    assert not client_of.get(f"/admin/airports/airport/?changeset={number}").context["cl"].result_list


def test_a_correction_is_kept_and_can_be_decided_the_other_way(client_of, edit, steward):
    imported(client_of, *SNAPSHOT)
    edit("KAPA", actor=steward, name="Centennial by hand")
    run = upload(client_of, csv_text(SNAPSHOT[0], {**SNAPSHOT[1], "name": "Centennial Intl"}, SNAPSHOT[2]))
    (kept,) = page(client_of, run, bucket="kept").context["rows"]
    assert [(field.current, field.new, field.origin.words) for field in kept.kept] == [
        ("Centennial by hand", "Centennial Intl", "stan")
    ]

    act(client_of, run, "decide", tick=kept.row.pk, decision="take")
    confirm(client_of, run)

    assert Airport.objects.get(pk="KAPA").name == "Centennial Intl"


def test_a_row_that_is_left_alone_stays_as_it_is(client_of):
    run = upload(client_of, csv_text(*SNAPSHOT))
    (row,) = run.rows.filter(new_pk="KAPA")

    act(client_of, run, "decide", tick=row.pk, decision="leave")
    confirm(client_of, run)

    assert set(Airport.objects.values_list("pk", flat=True)) == {"KDEN", "KBKF"}


def test_the_same_file_again_has_nothing_to_change(client_of):
    imported(client_of, *SNAPSHOT)

    run = upload(client_of, csv_text(*SNAPSHOT))

    assert "Nothing to change" in page(client_of, run).content.decode()
    assert told(confirm(client_of, run)) == ["There is nothing to change: nothing was imported."]


def test_refused_rows_are_downloaded_mended_and_uploaded_again(client_of):
    bad = {"id": "4", "ident": "K004", "name": "=HYPERLINK(1)", "latitude_deg": "91"}
    run = upload(client_of, csv_text(*SNAPSHOT, bad))

    answer = client_of.get(f"{IMPORTS}{run.pk}/refused.csv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text))
    assert answer["Content-Disposition"] == 'attachment; filename="airports-refused.csv"'
    assert (row["ident"], row["name"], row["latitude_deg"]) == ("K004", "'=HYPERLINK(1)", "91")
    assert row["why"].startswith("latitude_deg: ")

    mended = upload(client_of, text.replace(",91,", ",39.5,"), name="mended.csv", missing="report")
    confirm(client_of, mended)
    assert Airport.objects.get(pk="K004").latitude_deg == 39.5


def test_the_file_is_downloaded_as_it_was_uploaded(client_of):
    content = csv_text(*SNAPSHOT)
    run = upload(client_of, content)

    assert b"".join(client_of.get(f"{IMPORTS}{run.pk}/file/").streaming_content).decode() == content


def test_a_file_that_is_not_kept_any_more_says_so(client_of):
    run = upload(client_of, csv_text(*SNAPSHOT))
    ImportRun.objects.update(kept_as="")

    assert told(client_of.get(f"{IMPORTS}{run.pk}/file/", follow=True)) == [
        "airports.csv is not kept any more: upload it again."
    ]


def test_a_file_of_others_goes_through_the_mapping_step(client_of):
    imported(client_of, *SNAPSHOT)
    run = upload(client_of, "icao,elevation,tz\nKDEN,5430,America/Denver\n")
    assert run.status == "uploaded"

    client_of.post(
        f"{IMPORTS}{run.pk}/mapping/",
        {"source": "corrections", "column-ident": "icao", "column-elevation_ft": "elevation"},
    )
    confirm(client_of, run)

    assert Airport.objects.get(pk="KDEN").elevation_ft == 5430
    assert Airport.objects.get(pk="KDEN").name == "Denver International Airport"


def test_with_fewer_columns_only_those_are_changed(client_of):
    imported(client_of, *SNAPSHOT)
    run = upload(client_of, csv_text(*({**row, "elevation_ft": "1", "name": "Other"} for row in SNAPSHOT)))

    act(client_of, run, "plan-again", source="snapshot", columns=["elevation_ft"], links=["country", "city"])
    confirm(client_of, run)

    assert set(Airport.objects.values_list("elevation_ft", flat=True)) == {1}
    assert "Other" not in Airport.objects.values_list("name", flat=True)


def test_an_exported_file_is_taken_as_corrections(client_of):
    imported(client_of, *SNAPSHOT)
    exported = client_of.post("/admin/airports/airport/export/", {"format": "0", "resource": "0"})
    content = b"".join(exported.streaming_content).replace(b"Centennial Airport", b"Centennial")

    run = upload(client_of, content, name="airports-2026.csv")
    response = page(client_of, run)

    assert run.options["corrections"] is True
    assert [row.row.new_pk for row in response.context["rows"]] == ["KAPA"]
    confirm(client_of, run)
    assert Airport.objects.get(pk="KAPA").name == "Centennial"


def test_an_applied_import_says_what_was_left_alone_and_why(client_of, edit, steward):
    imported(client_of, *SNAPSHOT)
    run = upload(client_of, csv_text(SNAPSHOT[0], {**SNAPSHOT[1], "name": "Centennial Intl"}, SNAPSHOT[2]))
    edit("KAPA", actor=steward, elevation_ft=1)

    confirm(client_of, run)

    response = page(client_of, run, bucket="left-alone")
    assert [(row.row.new_pk, row.row.left_alone) for row in response.context["rows"]] == [
        ("KAPA", "somebody changed it after the plan was made")
    ]


@pytest.mark.parametrize(("model", "header"), [("city", "country,name"), ("country", "iso_code,name")])
def test_cities_and_countries_are_imported_as_corrections(client_of, places, model, header):
    client = client_of
    row = "DE,Hamburg" if model == "city" else "CH,Switzerland"
    file = SimpleUploadedFile("places.csv", f"{header}\n{row}\n".encode())
    form = client.get(f"/admin/base/{model}/import/").context["form"]
    assert "missing" not in form.fields

    client.post(f"/admin/base/{model}/import/", {"source": "corrections", "reason": "more", "import_file": file})
    run = ImportRun.objects.get()
    response = page(client, run)
    confirm(client, run)

    run.refresh_from_db()
    assert response.status_code == 200
    assert (run.status, run.counts["created"]) == ("applied", 1)
