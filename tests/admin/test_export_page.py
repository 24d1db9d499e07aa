"""The export of a list: exactly its rows, for those who may, and nothing changes."""

import re
from datetime import date
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.imports.pages import exporting
from tests.admin.everywhere import everything
from tests.imports.exported import FORMATS, content, export, lines

pytestmark = pytest.mark.django_db
AIRPORTS = "/admin/airports/airport/"
EXPORTS = [f"/admin/{table}/export/" for table in ("airports/airport", "base/city", "base/country")]
TICKED = {"action": "export_selected", "_selected_action": ["KDEN", "EDDM"]}


@pytest.fixture
def client(operator, browse_as):
    """The browser of Olga, who may export."""
    return browse_as(operator)


def idents(response) -> list[str]:
    return [row[1] for row in lines(response)[1:]]


# -- which rows --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"airport_type": "heliport"},
        {"airport_type__exact": "heliport", "q": "denver"},
        {"q": "DEN"},
        {"q": "nothing has this"},
        {"links": "no-city"},
        {"active__exact": "0"},
        {"o": "-2"},
        {"name__startswith": "Denver"},
    ],
)
def test_the_file_has_exactly_the_rows_of_the_list_in_its_order(query, places, client):
    Airport.objects.create(ident="CO01", name="Denver Pad", airport_type="heliport", active=False)
    Airport.objects.create(ident="CO02", name="Aspen Pad", airport_type="heliport")
    shown = [airport.pk for airport in client.get(AIRPORTS, query).context["cl"].result_list]

    response = export(client, f"{AIRPORTS}export/?{urlencode(query)}")

    assert idents(response) == shown


def test_the_page_of_the_list_that_was_open_does_not_matter(places, client):
    Airport.objects.bulk_create(Airport(ident=f"A{number:03}", name="An airport") for number in range(120))

    for query in ("p=2", "all=1", "p=99", "_changelist_filters=q%3Dden"):
        assert len(idents(export(client, f"{AIRPORTS}export/?{query}"))) == 123


def test_ticked_rows_alone_are_exported(places, client):
    page = client.post(AIRPORTS, TICKED)

    assert "2</strong> ticked airports" in page.content.decode()
    keys = page.context["form"]["export_items"].value()
    assert idents(export(client, f"{AIRPORTS}export/", export_items=keys)) == ["EDDM", "KDEN"]


def test_all_rows_of_a_filtered_list_can_be_ticked(places, client):
    page = client.post(f"{AIRPORTS}?q=den", TICKED | {"select_across": "1"})

    assert page.url == f"{AIRPORTS}export/?q=den"
    assert idents(export(client, page.url)) == ["KDEN", "KBKF"]  # As the list has them: the best first.


@pytest.mark.parametrize("key", ["x", "9" * 30, "1\x00", "0"])
def test_a_ticked_key_that_is_none_exports_no_row(key, places, client):
    response = export(client, "/admin/base/city/export/", export_items=[key])

    assert response.status_code == 400 or len(lines(response)) == 1


def test_a_list_that_cannot_be_filtered_so_leads_back(places, client):
    for response in (
        client.get(f"{AIRPORTS}export/?active__exact=perhaps", follow=True),
        export(client, f"{AIRPORTS}export/?active__exact=perhaps", follow=True),
    ):
        assert response.status_code in (200, 302)
        assert "attachment" not in response.get("Content-Disposition", "")


@pytest.mark.once
@pytest.mark.parametrize("form", FORMATS)
def test_each_format_of_each_table_has_every_row(form, places, client):
    for address, model in zip(EXPORTS, (Airport, City, Country), strict=True):
        response = export(client, address, form)

        assert response["Content-Disposition"].endswith(f'.{form}"')
        assert len(lines(response, form)) == model.objects.count() + 1


@pytest.mark.once
@pytest.mark.parametrize("form", FORMATS)
def test_an_empty_list_gives_a_file_without_rows(form, client):
    for address in EXPORTS:
        assert len(lines(export(client, address, form), form)) == 1


def test_numbers_are_written_without_separators_and_to_the_last_digit(places, client):
    Airport.objects.filter(pk="KDEN").update(latitude_deg=0.1 + 0.2, longitude_deg=-104.5, elevation_ft=54321)

    text = content(export(client, f"{AIRPORTS}export/?q=kden")).decode()

    assert "0.30000000000000004,-104.5,54321,US" in text


def test_formulas_are_harmless(places, client):
    Airport.objects.filter(pk="KDEN").update(name='=HYPERLINK("x")', municipality="@here", iata_code="+1")

    row = lines(export(client, f"{AIRPORTS}export/?ident=KDEN"))[1]

    assert (row[2], row[3], row[10]) == ("'+1", '\'=HYPERLINK("x")', "'@here")


# -- what the page says ------------------------------------------------------------------------------------------


def test_the_name_of_the_file_says_model_part_and_day(places, client, monkeypatch):
    monkeypatch.setattr(exporting, "localdate", lambda: date(2026, 2, 28))

    names = [
        re.search('filename="(.*)"', export(client, address)["Content-Disposition"])[1]
        for address in (EXPORTS[1], f"{EXPORTS[0]}?q=den", f"{EXPORTS[0]}?o=2")
    ]

    assert names == ["cities-2026-02-28.csv", "airports-part-2026-02-28.csv", "airports-2026-02-28.csv"]


def test_the_page_says_how_many_rows_of_which_filter(places, client):
    Airport.objects.filter(pk="KBKF").update(airport_type="heliport")
    usa = places["usa"].pk

    page = client.get(f"{AIRPORTS}export/?airport_type__exact=heliport&country__id__exact={usa}&q=den")

    text = page.content.decode()
    assert "<strong>1</strong> airport will be in the file, as the list is filtered" in text
    for line in ("type: Heliport", "country: United States (US)", "search: den"):
        assert f"<li>{line}</li>" in text
    assert "All <strong>3</strong> airports" in client.get(f"{AIRPORTS}export/").content.decode()


def test_a_format_must_be_chosen_from_the_list(places, client):
    for posted in ({}, {"format": "9"}, {"format": "html"}):
        page = client.post(f"{AIRPORTS}export/", posted)

        assert page.status_code == 200
        assert "field-error" in page.content.decode()


def test_a_sheet_refuses_more_rows_than_it_can_hold(places, client, monkeypatch):
    monkeypatch.setattr("apps.imports.export.formats.Xlsx.most_rows", 2)

    page = export(client, f"{AIRPORTS}export/", "xlsx")

    assert "A sheet holds 2 rows and a header: choose CSV for these 3." in page.content.decode()


def test_the_list_leads_to_the_export_with_its_filter(places, client, viewer, browse_as):
    page = client.get(f"{AIRPORTS}?q=den").content.decode()

    assert f'href="{AIRPORTS}export/?q=den"' in page
    assert "export_selected" in page
    assert "/export/" not in browse_as(viewer).get(AIRPORTS).content.decode()


def test_who_may_not_import_is_told_to_hand_the_file_on(places, client, make_person, browse_as):
    person = make_person("carla", group="viewer")
    person.user_permissions.add(Permission.objects.get(codename="export_city"))
    advice = "give the file to somebody who may"

    assert advice in browse_as(person).get("/admin/base/city/export/").content.decode()
    assert advice not in client.get("/admin/base/city/export/").content.decode()


# -- who may, and at what cost -----------------------------------------------------------------------------------


@pytest.mark.once
@pytest.mark.parametrize("name", ["viewer", "editor", "operator", "steward", "outsider"])
@pytest.mark.parametrize("address", EXPORTS)
def test_every_step_asks_for_the_permission(name, address, places, make_person, request, browse_as):
    person = make_person("ed", group="editor") if name == "editor" else request.getfixturevalue(name)
    client = browse_as(person)
    wanted = 200 if name in ("operator", "steward") else 403

    answers = [
        client.get(address),
        client.head(address),
        export(client, address),
        export(client, address, export_items=["KDEN"] if "airport" in address else [str(places["usa"].pk)]),
    ]

    assert [answer.status_code for answer in answers] == [wanted] * 4


@pytest.mark.parametrize("across", ["0", "1"])
def test_the_action_is_not_there_without_the_permission(across, places, viewer, browse_as):
    response = browse_as(viewer).post(AIRPORTS, TICKED | {"select_across": across}, follow=True)

    assert response.request["PATH_INFO"] == AIRPORTS
    assert "ticked airports" not in response.content.decode()


def test_the_permission_for_one_table_opens_no_other(places, make_person, browse_as):
    person = make_person("carla", group="viewer")
    person.user_permissions.add(Permission.objects.get(codename="export_city"))
    client = browse_as(person)

    assert [export(client, address).status_code for address in EXPORTS] == [403, 200, 403]


@pytest.mark.parametrize("address", EXPORTS)
def test_exporting_changes_nothing_by_any_method(address, places, client):
    before = everything()

    client.get(address)
    export(client, address)
    client.post(AIRPORTS, TICKED)

    assert [client.put(address).status_code, client.delete(address).status_code] == [405, 405]
    assert everything() == before


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_export_takes_few_queries_however_many_rows(method, places, client):
    Airport.objects.bulk_create(Airport(ident=f"B{number:04}", name="An airport") for number in range(5000))
    client.get(AIRPORTS)

    with CaptureQueriesContext(connection) as queries:
        address = f"{AIRPORTS}export/?airport_type__exact=heliport&q=den"
        client.get(address) if method == "get" else content(export(client, f"{AIRPORTS}export/"))

    assert len(queries) <= 15
