"""Uploading a file to import in the admin: options, refusals with a sentence, and nothing left of what is refused."""

import re
import tempfile
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.airports.columns import OURAIRPORTS
from apps.imports.models import ImportRun
from apps.imports.pages.forms import PlanAgainForm
from apps.imports.reading import sources
from apps.imports.results import ImportOptions
from tests.admin.runs import names_here, told
from tests.imports.files import csv_text

pytestmark = pytest.mark.django_db
UPLOAD = "/admin/airports/airport/import/"
HERE = {"source": "snapshot", "on_local_edit": "keep", "missing": "report", "missing_limit": "1", "resource": "0"}
LINKS = ["country", "city"]


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path, monkeypatch) -> Path:
    """Keep files and temporary files of a test in a folder of its own, where they can be counted."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "temporary")
    kept = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path / "kept")}}
    settings.STORAGES = {**settings.STORAGES, "imports": kept}
    return tmp_path


def upload(client, content: str | bytes, name: str = "airports.csv", **posted):
    file = SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)
    data = {**HERE, "links": LINKS, "reason": "spring refresh", "import_file": file, **posted}
    return client.post(UPLOAD, {key: value for key, value in data.items() if value is not None})


def left_behind(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.is_file()]


def test_the_list_leads_to_the_import_who_may(operator, viewer, browse_as):
    link = '<a href="/admin/airports/airport/import/">Import…</a>'

    assert link in browse_as(operator).get("/admin/airports/airport/").content.decode()
    assert link not in browse_as(viewer).get("/admin/airports/airport/").content.decode()


@pytest.mark.parametrize("person", ["viewer", "outsider"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_others_may_not_upload(request, browse_as, person, method):
    client = browse_as(request.getfixturevalue(person))

    assert getattr(client, method)(UPLOAD).status_code == 403
    assert not ImportRun.objects.exists()


def test_the_packages_own_confirm_step_has_no_address(operator, browse_as):
    answer = browse_as(operator).post(
        "/admin/airports/airport/process_import/", {"import_file_name": "x", "original_file_name": "x", "format": "0"}
    )

    assert answer.status_code in (302, 404)
    assert not names_here()


def test_an_uploaded_file_becomes_a_run_with_its_options(operator, browse_as, planned):
    answer = upload(
        browse_as(operator),
        csv_text({}),
        blank="keep",
        on_local_edit="overwrite",
        missing="deactivate",
        missing_limit="2.5",
        links=["country"],
    )

    (run,) = planned
    assert answer.url == f"/admin/imports/importrun/{run.pk}/change/"
    assert (run.spec, run.actor, run.reason, run.file_name) == (
        "ourairports",
        operator,
        "spring refresh",
        "airports.csv",
    )
    assert {
        "corrections": False,
        "blank": "keep",
        "on_local_edit": "overwrite",
        "missing": "deactivate",
        "missing_limit": 2.5,
        "skip_links": ["city"],
    }.items() <= run.options.items()


def test_corrections_by_hand_are_taken_as_such(operator, browse_as, planned):
    upload(browse_as(operator), "ident,name\nKDEN,Denver\n", source="corrections")

    assert planned[0].options["corrections"] is True


@pytest.mark.parametrize("said", ["tsv", "1"])
def test_a_format_goes_by_its_name_or_its_place_in_the_packages_own_form(operator, browse_as, planned, said):
    upload(browse_as(operator), "ident\tname\nKDEN\tDenver\n", source="corrections", format=said)

    assert planned[0].how["format"] == "tsv"


def test_a_missing_choice_means_the_harmless_one(operator, browse_as, planned):
    upload(browse_as(operator), csv_text({}), on_local_edit=None, missing=None, missing_limit=None, links=None)

    assert {"on_local_edit": "keep", "missing": "report", "missing_limit": 1.0}.items() <= planned[0].options.items()


@pytest.mark.parametrize(
    ("posted", "sentence"),
    [
        ({"reason": ""}, "Say why: others will read it beside the change."),
        ({"import_file": None}, "Choose the file to import."),
        ({"source": "corrections", "missing": "delete"}, "Corrections by hand do not list every object"),
        ({"missing_limit": "101"}, "Ensure this value is less than or equal to 100."),
        ({"source": "nonsense"}, "Select a valid choice."),
        ({"format": "7"}, "Select a valid choice."),
    ],
)
def test_a_form_that_lacks_something_says_what(operator, browse_as, own_folders, posted, sentence):
    answer = upload(browse_as(operator), csv_text({}), **posted)

    assert sentence in answer.content.decode()
    assert not ImportRun.objects.exists()
    assert not left_behind(own_folders)


@pytest.mark.parametrize(
    ("content", "posted", "sentence"),
    [
        (b"", {}, "The file is empty."),
        (b"id,ident,name\n", {}, "has a header but no rows"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 90, {}, "is a PNG picture, not a table"),
        (b"id,ident,id\n1,A,2\n", {}, "has the column id twice"),
        (b"ident,name\nA,B\n", {"format": "xlsx"}, "not XLSX"),
        (b"<html><body>404</body></html>", {}, "is a web page or XML"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_on_the_form(operator, browse_as, own_folders, content, posted, sentence):
    answer = upload(browse_as(operator), content, **posted)

    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    assert not ImportRun.objects.exists()
    assert not left_behind(own_folders)


@pytest.mark.parametrize("size", [5_000, 3_500_000])
def test_a_file_that_is_too_large_is_cut_off(operator, browse_as, own_folders, monkeypatch, size):
    monkeypatch.setattr(sources, "SIZE_LIMIT", 1000 if size < 10_000 else 3 * 2**20)

    answer = upload(browse_as(operator), b"id,ident\n" + b"1,A\n" * (size // 4))

    assert re.search(r"airports.csv is larger than \d+ MB: split it", answer.content.decode())
    assert not ImportRun.objects.exists()
    assert not left_behind(own_folders)


def test_a_large_upload_leaves_no_temporary_file(operator, browse_as, own_folders, planned):
    upload(browse_as(operator), csv_text(*({} for _ in range(30_000))))

    (run,) = planned
    assert left_behind(own_folders / "temporary") == []
    assert storages["imports"].exists(run.kept_as)


def test_what_was_chosen_stays_chosen_when_the_form_comes_back(operator, browse_as):
    answer = upload(browse_as(operator), csv_text({}), reason="", source="corrections", blank="clear")

    form = answer.context["form"]
    assert (form["source"].value(), form["blank"].value()) == ("corrections", "clear")


def test_each_option_has_a_line_of_help_and_no_script(operator, browse_as):
    text = browse_as(operator).get(UPLOAD).content.decode()

    assert "They are listed, and each can be decided about." in text
    assert "Deactivate them" in text
    assert "guess_format" not in text
    assert " style=" not in text


def test_the_file_name_is_shown_as_text(operator, browse_as, planned):
    upload(browse_as(operator), csv_text({}), name="<b>airports.csv")

    text = browse_as(operator).get(f"/admin/imports/importrun/{planned[0].pk}/change/").content.decode()
    assert "<b>airports" not in text


def test_a_known_header_of_others_is_remembered(operator, browse_as, planned):
    client = browse_as(operator)
    content = "icao,title\nKDEN,Denver\n"
    upload(client, content, source="corrections")
    run = ImportRun.objects.get()
    client.post(
        f"/admin/imports/importrun/{run.pk}/mapping/",
        {"column-ident": "icao", "column-name": "title", "source": "corrections"},
    )
    planned.clear()

    upload(client, content, source="corrections")

    assert planned[0].options["mapping"] == {"ident": "icao", "name": "title"}
    page = client.get(f"/admin/imports/importrun/{planned[0].pk}/change/")
    assert "The columns are taken as they were the last time a file had this header." in told(page)


def test_the_key_to_match_by_is_asked_and_kept_with_the_run(operator):
    form = PlanAgainForm(
        {"source": "corrections", "match": "iata", "ignore_case": "on", "columns": ["name"]},
        spec=OURAIRPORTS,
        options=ImportOptions(corrections=True),
        taken={"iata_code": "iata", "name": "name"},
    )

    assert form.is_valid(), form.errors
    kept = ImportOptions.from_json(form.options().as_json())
    assert (kept.match, kept.ignore_case) == ("iata", True)
