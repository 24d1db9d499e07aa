"""What the lists of tracked models find, in which order, and that both databases say the same."""
# ruff: noqa: RUF001 - letters of other scripts are what is tested

import pytest
from django.contrib.auth.models import Permission
from django.core.checks import run_checks
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets import folding
from apps.changesets.folding import folded, folded_sql
from apps.changesets.tracking import tracked_models
from tests.admin.runs import make_run

pytestmark = pytest.mark.django_db
AIRPORTS = "/admin/airports/airport/"
PICKER = "/admin/autocomplete/?app_label=airports&model_name=airport&field_name=city&term="


@pytest.fixture
def named(places):
    """Airports with names of several scripts."""
    names = {
        "SBSP": ("Congonhas", "São Paulo"),
        "UUEE": ("Шереметьево", "Москва"),
        "LGAV": ("Ελευθέριος Βενιζέλος", "Αθήνα"),
        "ENAL": ("Vigra", "Ålesund"),
        "EKCH": ("Kastrup", "København"),
        "LTFM": ("İstanbul Havalimanı", "Arnavutköy"),
    }
    Airport.objects.bulk_create(
        Airport(ident=ident, name=name, municipality=town, airport_type="large_airport")
        for ident, (name, town) in names.items()
    )


def found(client, address: str, **query) -> list[str]:
    return [str(row.pk) for row in client.get(address, query).context["cl"].result_list]


@pytest.mark.parametrize(
    ("term", "ident"),
    [
        ("sao paulo", "SBSP"),
        ("SÃO PAULO", "SBSP"),
        ("МОСКВА", "UUEE"),
        ("шереметьево", "UUEE"),
        ("ΑΘΗΝΑ", "LGAV"),
        ("αθηνα", "LGAV"),
        ("ÅLESUND", "ENAL"),
        ("alesund", "ENAL"),
        ("kobenhavn", "EKCH"),
        ("istanbul havalimani", "LTFM"),
        ("İSTANBUL", "LTFM"),
        ("ＡＬＥＳＵＮＤ", "ENAL"),
    ],
)
def test_objects_are_found_without_accents_and_in_any_case(named, viewer, browse_as, term, ident):
    assert found(browse_as(viewer), AIRPORTS, q=term) == [ident]


def test_changesets_and_imports_are_found_without_accents_too(places, steward, browse_as, edit):
    made = edit("KDEN", elevation_ft=1, reason="Flughafen ÄÖÜ geprüft")
    run = make_run(steward, reason="Résumé")
    client = browse_as(steward)

    assert found(client, "/admin/changesets/changeset/", q="aou GEPRUFT") == [str(made.pk)]
    assert found(client, "/admin/imports/importrun/", q="RESUME") == [str(run.pk)]


def test_each_airport_is_found_by_its_own_municipality(named, viewer, browse_as):
    client = browse_as(viewer)

    for ident, town in Airport.objects.exclude(municipality="").values_list("pk", "municipality"):
        for term in (town, town.upper(), town.lower()):
            assert ident in found(client, AIRPORTS, q=term)


def test_what_is_the_word_comes_before_what_begins_with_it_and_that_before_the_rest(places, viewer, browse_as):
    names = {"AAAA": "New Bath Field", "BBBB": "Bathurst", "CCCC": "Bath", "BATH": "Elsewhere", "DDDD": "bâth"}
    Airport.objects.bulk_create(Airport(ident=ident, name=name) for ident, name in names.items())

    assert found(browse_as(viewer), AIRPORTS, q="bath") == ["BATH", "CCCC", "DDDD", "BBBB", "AAAA"]
    assert found(browse_as(viewer), AIRPORTS, q="bath", o="0") == ["AAAA", "BATH", "BBBB", "CCCC", "DDDD"]


def test_a_picker_finds_and_ranks_as_the_list_does(places, steward, browse_as):
    for name in ("New Münchberg", "Münchhausen", "Munch"):
        City.objects.create(country=places["germany"], name=name)

    answer = browse_as(steward).get(PICKER + "munch").json()

    assert [choice["text"].partition(",")[0] for choice in answer["results"]] == [
        "Munch", "München", "Münchhausen", "New Münchberg"
    ]  # fmt: skip


def test_the_code_of_a_country_comes_before_names_that_have_it(places, viewer, browse_as):
    sweden = Country.objects.create(iso_code="SE", name="Sweden")

    assert found(browse_as(viewer), "/admin/base/country/", q="de") == [str(places["germany"].pk), str(sweden.pk)]


def test_a_former_ident_finds_the_living_airport(places, viewer, browse_as, rename):
    rename("KDEN", "KDNX")

    assert found(browse_as(viewer), AIRPORTS, q="kden") == ["KDNX"]


def test_lists_are_sorted_whatever_the_case_and_what_is_empty_comes_last(places, viewer, browse_as):
    codes = {"A1": "aab", "A2": "AAC", "A3": None, "A4": "ÁAA"}
    Airport.objects.bulk_create(Airport(ident=ident, name="x", iata_code=code) for ident, code in codes.items())
    client = browse_as(viewer)

    assert found(client, AIRPORTS, o="2") == ["A4", "A1", "A2", "KDEN", "EDDM", "A3", "KBKF"]
    assert found(client, AIRPORTS, o="-2") == ["EDDM", "KDEN", "A2", "A1", "A4", "A3", "KBKF"]


def test_lists_are_sorted_by_the_names_that_links_have(places, viewer, browse_as):
    Country.objects.filter(pk=places["usa"].pk).update(name="états-Unis")
    Airport.objects.filter(pk="KBKF").update(country=None)

    assert found(browse_as(viewer), AIRPORTS, o="4") == ["KDEN", "EDDM", "KBKF"]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12))
def test_databases_fold_as_python_does(text):
    sql = folded_sql("given", connection)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql} = %s FROM (SELECT CAST(%s AS text) AS given) g", [folded(text), text])

        assert cursor.fetchone()[0]


def test_the_header_searches_all_tables_the_best_first(places, viewer, browse_as):
    Airport.objects.create(ident="AA01", name="Old Denver", source_id=1)

    page = browse_as(viewer).get("/admin/search/", {"q": "DÉNVER"})

    rows = {
        part.title: [label for _, label, _ in part.rows]
        for part in page.context["found"][:1] + page.context["found"][-2:]
    }
    assert rows == {
        "Airports": ["KBKF · Buckley Space Force Base", "KDEN · Denver International Airport", "AA01 · Old Denver"],
        "Cities": ["Denver, United States"],
        "Countries": [],
    }
    assert 'href="/admin/airports/airport/KDEN/change/"' in page.content.decode()


def test_the_header_says_of_a_former_ident_what_it_is_now(places, viewer, browse_as, rename):
    rename("KDEN", "KDNX")

    page = browse_as(viewer).get("/admin/search/", {"q": "kden"}).content.decode()

    assert "KDNX · Denver International Airport" in page
    assert "was KDEN" in page


def test_the_header_searches_only_what_one_may_view(places, make_person, browse_as):
    person = make_person("carla", group=None)
    person.user_permissions.add(Permission.objects.get(codename="view_country"))
    client = browse_as(person)

    page = client.get("/admin/search/", {"q": "de"})

    assert [part.title for part in page.context["found"]] == ["Countries"]
    assert 'placeholder="Search countries"' in page.content.decode()
    assert "header-search" not in browse_as(make_person("nobody", group=None)).get("/admin/").content.decode()


def test_the_header_names_no_country_to_who_may_not_view_countries(places, outsider, browse_as):
    outsider.user_permissions.add(Permission.objects.get(codename="view_city"))

    (part,) = browse_as(outsider).get("/admin/search/", {"q": "denver"}).context["found"]

    assert [label for _, label, _ in part.rows] == ["Denver"]


@pytest.mark.parametrize("address", ["/admin/search/?q=de", AIRPORTS + "?q=denver", PICKER + "den"])
def test_a_search_takes_few_queries_however_much_it_finds(address, places, steward, browse_as):
    client = browse_as(steward)
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for number in range(60):
        City.objects.create(country=places["usa"], name=f"Denver {number}")
        Airport.objects.create(ident=f"D{number}", name=f"Denver {number}")

    with CaptureQueriesContext(connection) as many:
        client.get(address)

    assert len(many) == len(few)
    assert len(many) <= (12 if "search/" not in address else 2 + 3 * len(tracked_models()))


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite folds in Python")
def test_a_postgresql_that_cannot_fold_is_told_by_the_checks(monkeypatch):
    assert "changesets.E012" not in {message.id for message in run_checks(databases=["default"])}
    monkeypatch.setattr(folding, "lower_case", lambda connection: "no-such-collation")

    assert "changesets.E012" in {message.id for message in run_checks(databases=["default"])}
