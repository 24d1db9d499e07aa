"""The page between upload and plan: how a file is read, guessed, shown with its first rows, and changed."""

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.test import Client

from apps.airports.models import Airport
from apps.imports.models import HeaderMapping, ImportRun
from apps.imports.runs.files import storage
from tests.imports import trips

# What is in a file is found out before any database is asked.
pytestmark = [pytest.mark.django_db, pytest.mark.once]
CASES = Path(__file__).parent.parent / "imports" / "cases"
LODZ = "ident,name,municipality\nEPWA,Lotnisko w Łodzi,Łódź\n"
NO_TITLES = '507,"Heathrow","London",\\N,"EGLL",51.4706,-0.461941\n508,"Field","Nowhere","LFX","LFXX",48.1,2.1\n'


@pytest.fixture
def client(operator, browse_as) -> Client:
    return browse_as(operator)


@pytest.fixture
def airports() -> None:
    """The airports that some of the files are about."""
    for ident in ("EPWA", "EGLL", "LSZH"):
        Airport.objects.create(ident=ident, name=ident, airport_type="large_airport", municipality="Somewhere")


def opened(client: Client, data: bytes | str, name: str = "table.csv", **posted: Any) -> str:
    """Upload a file, see that it stops at the page, and return the page's address."""
    data = data.encode() if isinstance(data, str) else data
    answer = trips.upload(client, Airport, data, name, **{"source": "corrections", **posted})
    assert answer.status_code == 302, answer.context["form"].errors
    assert answer.url.endswith("/mapping/")
    return answer.url


def posted_by(page: Any) -> dict[str, str]:
    """Return what the form of a page posts as it stands."""
    choices = {choice.name: choice.value for choice in page.context["choices"]}
    columns = {field["name"]: field["title"] for field in page.context["fields"]}
    changes = {field["change_name"]: field["change"] for field in page.context["fields"] if field["changes"]}
    asked = {name: page.context[name] for name in ("decimal", "match")}
    asked |= {"titles": page.context["titles_mark"], "source": "corrections"}
    return {**asked, **choices, **columns, **changes}


def shown(client: Client, url: str, **chosen: str) -> Any:
    """Return the page as it is after choosing something and pressing "Show the file again"."""
    return client.post(url, {**posted_by(client.get(url)), **chosen, "show": "again"})


def planned(client: Client, url: str, **chosen: str) -> ImportRun:
    """Press "Show the plan" on the page, with these choices changed, and return the run."""
    answer = client.post(url, {**posted_by(shown(client, url, **chosen)), **chosen})
    assert answer.status_code == 302, answer.context["errors"]
    return ImportRun.objects.latest("pk")


def words_of(page: Any) -> str:
    return " ".join(page.content.decode().split())


@pytest.mark.parametrize(
    ("text", "encoding", "word"),
    [
        pytest.param(LODZ, "cp1250", "Łodzi", id="13-cp1250"),
        pytest.param("ident,municipality\nLSZH,Zürich\n", "mac-roman", "Zürich", id="14-mac-roman"),
        pytest.param("ident,municipality\nZBAA,北京\n", "gb18030", "北京", id="15-gb18030"),
    ],
)
def test_13_14_15_a_text_that_is_not_unicode_stops_here_with_a_guess_and_its_words(client, text, encoding, word):
    url = opened(client, text.encode(encoding))
    page = client.get(url)

    choice = page.context["choices"][0]
    assert (choice.name, choice.value) == ("encoding", encoding)
    assert "Guessed from its letters" in words_of(page)
    assert f"Words of the file: <b>{word}</b>" in words_of(page)
    assert {"cp1250", "cp1251", "mac-roman", "cp932", "gb18030", "iso8859-2"} <= dict(choice.options).keys()
    run = planned(client, url)
    assert (run.status, run.how["encoding"], run.counts["refused"]) == ("planned", encoding, 1)


def test_another_encoding_is_shown_and_planned(client, airports):
    url = opened(client, LODZ.encode("cp1250"))

    page = shown(client, url, encoding="cp1252")
    assert "<b>£ódŸ</b>" in words_of(page)
    run = planned(client, url, encoding="cp1252")

    assert run.how["encoding"] == "cp1252"
    assert run.rows.get().changes["municipality"][1] == "£ódŸ"


def test_letters_far_down_are_shown_though_only_the_beginning_is_read(client):
    text = "icao,municipality\n" + "EPWA,Warszawa\n" * 5000 + "EPWA,Łódź\n"

    page = client.get(opened(client, text.encode("cp1250")))

    assert "<b>Łódź</b>" in words_of(page)


def test_the_page_of_a_large_file_reads_no_more_than_its_beginning(client):
    rows = "".join(f"K{number},Field {number * 7919},{number % 9001}\n" for number in range(200_000))
    url = opened(client, f"icao,title,height\n{rows}")
    kept = Path(storage().path(ImportRun.objects.get().kept_as))
    kept.write_bytes(kept.read_bytes()[: kept.stat().st_size // 4])

    for page in (client.get(url), shown(client, url, delimiter=",")):
        assert (page.context["shown"].refusal, page.context["shown"].rows[0][1][0]) == ("", "K0")


def test_an_encoding_that_a_person_chose_at_the_upload_is_asked_no_more(client, airports):

    run = trips.planned(client, Airport, LODZ.encode("cp1250"), "t.csv", source="corrections", encoding="cp1250")

    assert run.rows.get().changes["municipality"][1] == "Łódź"


def test_an_export_of_ours_that_was_saved_in_another_encoding_stops_here_too(client):
    url = opened(client, "source_id,ident,municipality\n7,EPWA,Łódź\n".encode("cp1250"), source="snapshot")

    assert client.get(url).context["corrections"]


def test_a_file_without_titles_is_mapped_by_position(client, airports):
    url = opened(client, NO_TITLES)
    page = client.get(url)

    assert page.context["shown"].header == [f"column {number}" for number in range(1, 8)]
    assert '<option value="column 2">column 2: Heathrow</option>' in words_of(page)
    run = planned(client, url, **{"column-ident": "column 5", "column-name": "column 2"})

    assert (run.counts["total"], run.counts["updated"]) == (2, 1)
    assert run.rows.get(new_pk="EGLL").changes["name"][1] == "Heathrow"
    assert not HeaderMapping.objects.exists()


def test_21_the_case_is_planned_by_the_guesses_of_its_values(client, airports):
    url = opened(client, (CASES / "21-no-header.csv").read_bytes())

    run = planned(client, url)

    (row,) = run.rows.filter(kind="changed")
    assert (row.changes["name"][1], row.changes["elevation_ft"][1]) == ("Heathrow", 83)
    assert row.old_pk == "EGLL"


def test_titles_are_found_where_a_person_says(client):
    url = opened(client, "a,b,c\n1,2,3\nicao,title,city\nLSZH,Zurich,Kloten\n")

    page = shown(client, url, header="3")

    assert page.context["shown"].header == ["icao", "title", "city"]
    assert page.context["shown"].rows == [(4, ["LSZH", "Zurich", "Kloten"])]
    assert {field["header"]: field["title"] for field in page.context["fields"]}["ident"] == "icao"


def test_another_delimiter_gives_other_columns(client):
    url = opened(client, "icao~name\nLSZH~Zurich\n")
    assert client.get(url).context["shown"].header == ["icao~name"]

    assert shown(client, url, delimiter="~").context["shown"].header == ["icao", "name"]
    run = planned(client, url, delimiter="~")

    assert (run.how["delimiter"], run.header) == ("~", ["icao", "name"])


def test_columns_that_nobody_saw_are_not_planned(client):
    url = opened(client, "icao~name\nLSZH~Zurich\n")

    answer = client.post(url, {**posted_by(client.get(url)), "delimiter": "~"})

    assert answer.context["errors"] == ["Read like this, the file has other columns: look at them again."]
    assert ImportRun.objects.get().status == "uploaded"


def test_another_sheet_is_chosen(client):
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["notes"])
    book.active.append(["by Ana"])
    for row in (["Airports of 2026"], [], ["icao", "name"], ["LSZH", "Zurich"]):
        (book["data"] if "data" in book.sheetnames else book.create_sheet("data")).append(row)
    book.save(out)
    url = opened(client, out.getvalue(), "book.xlsx")

    assert client.get(url).context["shown"].sheets == ["Sheet", "data"]
    run = planned(client, url, sheet="data", header="0")

    assert (run.how["sheet"], run.how["header"], run.header) == ("data", 3, ["icao", "name"])


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"encoding": "klingon"}, "klingon is not an encoding that is read"),
        ({"encoding": "utf-16"}, "is not encoded as utf-16"),
        ({"delimiter": '"'}, "is no delimiter: give one character"),
        ({"delimiter": ""}, ""),
        ({"header": "900"}, "table.csv is empty."),
        ({"header": "x" * 50}, ""),
        ({"sheet": "Tabelle"}, "table.csv has no sheet Tabelle"),
    ],
)
@pytest.mark.parametrize("button", [{"show": "again"}, {}])
def test_a_choice_that_does_not_fit_is_a_sentence_in_place_of_the_rows(client, chosen, sentence, button):
    url = opened(client, "icao,name\nLSZH,Zurich\n")

    answer = client.post(url, {"source": "corrections", "column-name": "name", **chosen, **button})

    assert answer.status_code == 200
    assert sentence in answer.context["shown"].refusal
    assert ImportRun.objects.get().status == "uploaded"


def test_an_encoding_that_changes_half_way_is_said_with_its_line(client):
    row = "EPWA,Łódź\n"
    data = b"icao,city\n" + row.encode() * 100 + row.encode("cp1250") * 90
    url = opened(client, data)

    assert "From line 102 on the file is not UTF-8" in words_of(client.get(url))
    run = planned(client, url, match="", **{"column-ident": "icao", "column-icao_code": ""})

    assert run.status == "failed"
    assert "table.csv is not UTF-8 from line 102 on" in run.error


def test_what_is_no_text_further_down_than_the_page_looks_is_refused_with_its_line(client):
    url = opened(client, b"icao,city\n" + "EPWA,Łódź\n".encode() * 30_000 + b"EPWA,\xff\n")

    run = planned(client, url, match="", **{"column-ident": "icao", "column-icao_code": ""})

    assert "table.csv is not UTF-8 from line 30002 on" in run.error


def test_json_in_another_encoding_is_a_sentence(client):
    url = opened(client, '[{"icao": "EPWA", "city": "Łódź"}]', "t.json")

    page = shown(client, url, encoding="cp932")

    assert "t.json is not CP932 from line 1 on" in page.context["shown"].refusal


def test_33_another_file_of_ourairports_is_known(client):
    page = client.get(opened(client, (CASES / "33-runways.csv").read_bytes()))

    assert "This looks like the runways of OurAirports, not like airports: is it the right file?" in words_of(page)


def test_a_remembered_mapping_whose_field_is_gone_is_not_taken_but_told(client, operator):
    from apps.airports.columns import OURAIRPORTS
    from apps.imports.mapping.headers import remember

    remember(["icao", "runway"], OURAIRPORTS, {"ident": "icao", "runway_length": "runway"}, actor=operator)

    page = client.get(opened(client, "icao,runway\nLSZH,3700\n"))

    assert "fills runway_length, which is gone. Look at the columns again." in words_of(page)
    assert {field["header"] for field in page.context["fields"] if field["title"]} == {"ident"}


def test_only_the_form_is_sent_to_the_script(client):
    url = opened(client, "icao,name\nLSZH,Zurich\n")

    part = client.post(f"{url}?part", {**posted_by(client.get(url)), "show": "again"}).content.decode()

    assert "<html" not in part
    assert "csrfmiddlewaretoken" not in part
    assert "LSZH" in part


def test_a_file_that_is_gone_leads_back_to_the_run(client):
    url = opened(client, "icao,name\nLSZH,Zurich\n")
    ImportRun.objects.update(kept_as="")

    assert "is not kept any more: upload it again." in client.get(url, follow=True).content.decode()


def test_words_for_no_value_are_chosen_here(client, airports):
    url = opened(client, "icao,city\nLSZH,leer\n")

    run = planned(client, url, null_words="leer")

    assert run.summary["read_as_blank"] == {"leer": 1}


def test_a_decimal_comma_is_guessed_for_the_whole_file_and_shown(client, airports):
    url = opened(client, "ident;latitude_deg;longitude_deg\nLSZH;47,458056;8,548056\n")
    page = client.get(url)

    assert page.context["decimal"] == "comma"
    assert "&rarr; <code>47.458056</code>" in words_of(page)
    run = planned(client, url)

    assert run.options["decimal"] == "comma"
    assert run.rows.get().changes["latitude_deg"][1] == 47.458056


def test_a_decimal_comma_that_the_person_denies_is_refused(client, airports):
    url = opened(client, "ident;latitude_deg;longitude_deg\nLSZH;47,458056;8,548056\n")

    run = planned(client, url, decimal="point")

    assert (run.options["decimal"], run.options["changes"]) == ("point", {})
    assert run.refused_cells.count() == 2


def test_two_coordinates_in_a_cell_are_taken_apart_and_each_guess_says_why(client, airports):
    url = opened(client, (CASES / "26-one-cell-coordinates.csv").read_bytes())
    page = client.get(url)

    assert "the longitude first, since it goes past 90" in words_of(page)
    assert "&rarr; <code>39.861698150635</code>" in words_of(page)
    run = planned(client, url)

    assert run.rows.get(new_pk="LSZH").changes["longitude_deg"][1] == 8.548056
    assert HeaderMapping.objects.get().changes["latitude_deg"]


def test_a_change_of_values_is_chosen_shown_and_planned(client, airports):
    url = opened(client, "icao,name,city\nLSZH,Zurich,kloten\n")

    page = shown(client, url, **{"change-municipality": "upper"})
    assert '<code>kloten</code> <span class="after">&rarr; <code>KLOTEN</code>' in words_of(page)
    run = planned(client, url, **{"change-municipality": "upper"})

    assert run.rows.get().changes["municipality"][1] == "KLOTEN"


def test_a_change_that_there_is_not_is_a_sentence(client):
    url = opened(client, "icao,name\nLSZH,Zurich\n")

    answer = client.post(url, {**posted_by(client.get(url)), "change-name": "shout"})

    assert "There is no change of values called shout" in answer.context["errors"][0]


def test_a_column_that_looks_like_one_of_ours_and_is_not_taken_is_said(client):
    url = opened(client, "icao,name,city\nLSZH,Zurich,Kloten\n")

    page = shown(client, url, **{"column-municipality": ""})

    assert "city looks like municipality (" in words_of(page)


def test_27_a_file_without_the_usual_keys_is_matched_by_the_one_that_it_has(client, airports):
    Airport.objects.filter(pk="LSZH").update(iata_code="ZRH")
    url = opened(client, (CASES / "27-iata-only.csv").read_bytes())

    page = client.get(url)
    run = planned(client, url)

    assert (page.context["match"], page.context["errors"]) == ("iata", [])
    assert (run.status, run.options["match"], run.counts["updated"]) == ("planned", "iata", 1)


def test_the_key_to_match_by_is_chosen_here_and_another_word_is_none(client, airports):
    url = opened(client, "icao,naam\nEPWA,Warsaw\n")

    assert client.get(url).context["match"] == ""
    assert planned(client, url, match="ident", **{"column-name": "naam"}).options["match"] == "ident"
    assert shown(client, url, match="nobody").context["match"] == "ident"


def test_keys_in_another_case_are_taken_where_the_person_says_so(client, airports):
    url = opened(client, "icao,city\nlszh,Kloten\n")

    run = planned(
        client, url, **{"column-ident": "icao", "column-icao_code": ""}, match="", null_words="-", ignore_case="on"
    )

    assert run.options["ignore_case"] is True
    assert run.rows.get().new_pk == "LSZH"
