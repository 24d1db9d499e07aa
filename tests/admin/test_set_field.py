"""Changing one field of many objects: every way, the rules of the form, what follows, what is shown and undone."""

import pytest
from django.db import connection

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.context import changeset
from apps.changesets.models import Changeset, StoredRow
from apps.changesets.sql import Sql
from tests.admin.bulk import LISTS, act, all_rows, confirm, newest, undo

pytestmark = pytest.mark.django_db
AIRPORTS, COUNTRIES, CITIES = LISTS["airport"], LISTS["country"], LISTS["city"]


@pytest.fixture
def client(places, steward, browse_as):
    return browse_as(steward)


def values(field: str) -> dict:
    return dict(Airport.objects.values_list("pk", field))


def setting(client, keys, field, value, address=AIRPORTS, **posted):
    return confirm(client, address, "set_field", keys, field=field, value=value, **posted)


# -- setting and the rules of the form ---------------------------------------------------------------------------

GOOD = {
    "airport_type": ("heliport", "heliport"),
    "active": ("false", False),
    "scheduled_service": ("yes", True),
    "elevation_ft": ("12", 12),
    "latitude_deg": ("1.5", 1.5),
    "iata_code": ("", None),
    "municipality": (" Aspen ", "Aspen"),
    "name": ("Zürich", "Zürich"),
}


@pytest.mark.parametrize("field", GOOD)
def test_a_field_is_set_as_one_changeset_and_comes_back(field, client, steward):
    typed, value = GOOD[field]
    before = all_rows(Airport)

    answer = setting(client, ["KDEN", "EDDM"], field, typed)

    assert answer.status_code == 302
    assert [values(field)[key] for key in ("KDEN", "EDDM")] == [value, value]
    made = newest()
    assert (made.kind, made.actor, made.reason) == ("bulk_action", steward, "tidying")
    assert made.counts == {"airports.airport": {"changed": 2}}
    undo(client, made)
    assert all_rows(Airport) == before


@pytest.fixture
def no_question_while_loading(monkeypatch):
    """Fail a statement that runs while rows are loaded: on PostgreSQL a COPY is open then, and it would never end."""
    load = Sql.load

    def refuse(execute, sql, *rest):
        pytest.fail(f"This runs while a COPY is open: {sql}")

    def make_rows_apart(self, table, columns, rows):
        with connection.execute_wrapper(refuse):
            made = list(rows)
        load(self, table, columns, made)

    monkeypatch.setattr(Sql, "load", make_rows_apart)


def test_links_that_a_rule_compares_are_read_before_the_new_values_are_loaded(
    client, places, no_question_while_loading
):
    setting(client, ["KDEN", "EDDM"], "country", places["germany"].pk)

    assert values("country")["KDEN"] == places["usa"].pk
    assert (
        "Denver"
        in act(client, AIRPORTS, "set_field", ["KDEN"], field="country", value=places["germany"].pk).content.decode()
    )


BAD = {
    "iata_code": ("abc", "Not three capital letters or digits; did you mean ABC?"),
    "airport_type": ("spaceport", "Select a valid choice. spaceport is not one of the available choices."),
    "name": ("", "This field is required."),
    "latitude_deg": ("91", "It is not between -90 and 90."),
    "elevation_ft": ("high", "Enter a whole number."),
    "active": ("perhaps", "Write true or false."),
    "country": ("Atlantis", "Select a valid choice. That choice is not one of the available choices."),
    "iso_country": ("XX", "Not a country code in two capital letters that ISO 3166-1 has."),
}


@pytest.mark.parametrize("field", BAD)
def test_a_value_that_the_form_refuses_is_refused_with_its_sentence(field, client):
    typed, sentence = BAD[field]
    before = all_rows(Airport), Changeset.objects.count()

    page = setting(client, ["KDEN"], field, typed)

    assert page.status_code == 200
    assert sentence in page.content.decode()
    assert (all_rows(Airport), Changeset.objects.count()) == before


@pytest.mark.parametrize(
    "field", ["", "ident", "search_name", "source_id", "nonsense", "upstream", "pk", "change_reason"]
)
def test_what_is_no_field_of_the_form_is_refused(field, client):
    before = all_rows(Airport)

    page = setting(client, ["KDEN"], field, "1")

    assert page.status_code == 200
    assert ("is no field that can be changed here" if field else "Choose a field.") in page.content.decode()
    assert all_rows(Airport) == before


@pytest.mark.parametrize("named", ["key", "DE", "de", "Germany"])
def test_a_link_takes_the_key_the_code_or_the_name(named, client, places):
    typed = places["germany"].pk if named == "key" else named

    setting(client, ["KBKF"], "country", typed)  # Its city is in the United States.
    refused = values("country")["KBKF"]
    Airport.objects.filter(pk="KBKF").update(city=None)
    setting(client, ["KBKF"], "country", typed)

    assert (refused, values("country")["KBKF"]) == (places["usa"].pk, places["germany"].pk)


def test_a_name_that_several_objects_have_is_no_link(client, places):
    City.objects.create(country=places["germany"], name="Denver")

    page = setting(client, ["KDEN"], "city", "Denver").content.decode()

    assert "Several cities are called Denver: choose one, or give its number." in page


def test_objects_that_a_rule_forbids_are_blocked_and_the_others_change(client, places):
    page = act(client, AIRPORTS, "set_field", ["KDEN", "EDDM"], field="city", value=places["munich"].pk)
    Airport.objects.filter(pk="EDDM").update(city=None)

    setting(client, ["KDEN", "EDDM"], "city", places["munich"].pk)

    sentence = "München is in Germany (DE), not in United States (US)."
    assert f"1 blocked: {sentence}" in page.content.decode()
    assert values("city") == {"KDEN": places["denver"].pk, "EDDM": places["munich"].pk, "KBKF": places["denver"].pk}
    assert newest().summary["bulk"]["listed"] == [[f"blocked: {sentence}", 1, ["KDEN · Denver International Airport"]]]


def test_a_value_that_must_be_unique_goes_to_nobody_who_would_share_it(client, places):
    page = setting(client, [places["usa"].pk], "iso_code", "DE", COUNTRIES)

    assert (
        "Country with this ISO code already exists."
        in act(client, COUNTRIES, "set_field", [places["usa"].pk], field="iso_code", value="DE").content.decode()
    )
    assert page.status_code == 302
    assert Country.objects.get(pk=places["usa"].pk).iso_code == "US"


def test_of_several_that_would_get_the_same_unique_value_the_first_gets_it(client, places):
    boulder = City.objects.create(country=places["usa"], name="Boulder")
    keys = [places["denver"].pk, places["munich"].pk, boulder.pk]

    page = act(client, CITIES, "set_field", keys, field="name", value="Aspen").content.decode()
    setting(client, keys, "name", "Aspen", CITIES)

    assert "1 blocked: United States (US) has a city called Aspen already." in page
    assert list(City.objects.order_by("pk").values_list("name", flat=True)) == ["Aspen", "Aspen", "Boulder"]


def test_a_region_of_another_country_is_blocked(client):
    Airport.objects.filter(pk="EDDM").update(iso_country="DE")
    Airport.objects.filter(pk="KDEN").update(iso_country="US")

    page = act(client, AIRPORTS, "set_field", ["KDEN", "EDDM"], field="iso_region", value="DE-BY").content.decode()

    assert "1 blocked: A region of US begins with US-." in page


# -- what follows --------------------------------------------------------------------------------------------------


def test_what_is_made_of_a_name_follows_it_but_no_slug(client, places):
    with changeset(kind="edit", actor=None):
        City.objects.filter(pk=places["denver"].pk).update(ascii_name="Mile High")
    keys = [places["munich"].pk, places["denver"].pk]

    setting(client, keys, "name", "Zürich", CITIES)

    rows = City.objects.filter(pk__in=keys).order_by("pk").values_list("name", "ascii_name", "search_name", "slug")
    assert list(rows) == [("Zürich", "Mile High", "zürich", "denver"), ("Zürich", "Zurich", "zürich", "munchen")]


def test_an_ascii_name_that_is_cleared_is_made_again(client, places):
    City.objects.filter(pk=places["munich"].pk).update(ascii_name="Monaco di Baviera")

    confirm(client, CITIES, "set_field", [places["munich"].pk], field="ascii_name", how="clear")

    assert City.objects.get(pk=places["munich"].pk).ascii_name == "Munchen"


def test_the_type_leaves_active_alone_as_the_form_does(client):
    setting(client, ["KDEN"], "airport_type", "closed")

    assert values("active")["KDEN"] is True


# -- other ways ----------------------------------------------------------------------------------------------------


def test_clearing(client):
    confirm(client, AIRPORTS, "set_field", ["KDEN", "EDDM"], field="iata_code", how="clear")

    assert values("iata_code") == dict.fromkeys(["KDEN", "EDDM", "KBKF"])
    assert newest().summary["bulk"]["done"] == "The IATA code of 2 airports changed: cleared."


def test_find_and_replace(client):
    posted = {"field": "name", "how": "replace", "find": " Airport", "replacement": ""}

    page = act(client, AIRPORTS, "set_field", ["KDEN", "EDDM", "KBKF"], **posted).content.decode()
    confirm(client, AIRPORTS, "set_field", ["KDEN", "EDDM", "KBKF"], **posted)

    assert "<del>Munich Airport</del>" in page
    assert "<ins>Munich</ins>" in page
    assert values("name")["EDDM"] == "Munich"
    assert values("search_name")["EDDM"] == "munich"
    assert newest().counts == {"airports.airport": {"changed": 2}}


def test_capitals_and_spaces(client):
    Airport.objects.filter(pk="KBKF").update(municipality=" Buckley  Field ")

    confirm(client, AIRPORTS, "set_field", ["KBKF"], field="municipality", how="trim")
    trimmed = values("municipality")["KBKF"]
    confirm(client, AIRPORTS, "set_field", ["KBKF"], field="municipality", how="upper")

    assert (trimmed, values("municipality")["KBKF"]) == ("Buckley Field", "BUCKLEY FIELD")


def test_rounding(client):
    Airport.objects.filter(pk="KDEN").update(latitude_deg=39.861698)

    confirm(client, AIRPORTS, "set_field", ["KDEN"], field="latitude_deg", how="round", places="2")
    confirm(client, AIRPORTS, "set_field", ["KDEN"], field="elevation_ft", how="round", places="-3")

    assert (values("latitude_deg")["KDEN"], values("elevation_ft")["KDEN"]) == (39.86, 5000)


def test_copying_from_another_field_by_the_rules_of_the_target(client):
    Airport.objects.filter(pk="KDEN").update(local_code="DEN", iata_code=None)
    Airport.objects.filter(pk="EDDM").update(local_code="MUNICH")

    page = act(client, AIRPORTS, "set_field", ["KDEN", "EDDM"], field="iata_code", how="copy", source="local_code")
    confirm(client, AIRPORTS, "set_field", ["KDEN", "EDDM"], field="iata_code", how="copy", source="local_code")

    assert "blocked: Not three capital letters or digits." in page.content.decode()
    assert (values("iata_code")["KDEN"], values("iata_code")["EDDM"]) == ("DEN", "MUC")


@pytest.mark.parametrize(
    ("posted", "sentence"),
    [
        ({"field": "elevation_ft", "how": "upper"}, "That is for text"),
        ({"field": "name", "how": "round", "places": "1"}, "That is for a number"),
        ({"field": "name", "how": "explode"}, "Select a valid choice"),
        ({"field": "name", "how": "clear"}, "This field is required."),
        ({"field": "active", "how": "clear"}, "This field is required."),
        ({"field": "name", "how": "replace", "find": "", "replacement": "x"}, "This field is required."),
        ({"field": "elevation_ft", "how": "round", "places": "2"}, "It is a whole number"),
        ({"field": "city", "how": "copy", "source": "name"}, "Select a valid choice"),
        ({"field": "name"}, "Give the new value"),
    ],
)
def test_what_a_way_cannot_do_is_said(posted, sentence, client):
    before = all_rows(Airport)

    page = confirm(client, AIRPORTS, "set_field", ["KDEN"], **posted)

    assert page.status_code == 200
    assert sentence in page.content.decode()
    assert all_rows(Airport) == before


# -- the page, permissions, all rows -------------------------------------------------------------------------------


def test_the_page_asks_for_the_field_first_and_then_for_the_value(client):
    first = act(client, AIRPORTS, "set_field", ["KDEN"]).content.decode()
    second = act(client, AIRPORTS, "set_field", ["KDEN"], field="airport_type", how="set").content.decode()

    assert 'name="value"' not in first
    assert '<option value="heliport">Heliport</option>' in second
    assert "This field is required" not in second
    assert 'name="confirm"' not in second


def test_a_value_for_another_field_is_not_taken_for_this_one(client):
    posted = {"field": "municipality", "how": "set", "value": "heliport", "shown": "airport_type.set"}

    page = act(client, AIRPORTS, "set_field", ["KDEN"], **posted).content.decode()
    confirm(client, AIRPORTS, "set_field", ["KDEN"], **posted)

    assert 'name="confirm"' not in page
    assert "heliport" not in values("municipality").values()


def test_the_plan_counts_distinct_values_the_commonest_first(client):
    Airport.objects.filter(pk="KBKF").update(airport_type="heliport")

    page = act(client, AIRPORTS, "set_field", ["KDEN", "EDDM", "KBKF"], field="airport_type", value="closed")

    assert [(v.now, v.after, v.number) for v in page.context["plan"].values] == [
        ("Large airport", "Closed", 2),
        ("Heliport", "Closed", 1),
    ]
    assert "Change the type of 3 airports" in page.content.decode()


def test_all_rows_of_the_plan_show_what_changes_and_what_is_blocked(client, places):
    Airport.objects.filter(pk="EDDM").update(city=None)

    answer = act(client, AIRPORTS, "set_field", ["KDEN", "EDDM"], field="city", value=places["munich"].pk, rows="all")
    page = client.get(answer["Location"])

    assert {(row.object_pk, row.bucket) for row in StoredRow.objects.all()} == {
        ("KDEN", "blocked"),
        ("EDDM", "changed"),
    }
    assert "München is in Germany (DE), not in United States (US)." in page.content.decode()


def test_all_rows_of_a_filter(client):
    Airport.objects.filter(pk="KDEN").update(airport_type="heliport")

    setting(client, (), "municipality", "Aspen", AIRPORTS + "?airport_type=heliport", select_across="1")

    assert [key for key, value in values("municipality").items() if value == "Aspen"] == ["KDEN"]


def test_what_is_confirmed_is_what_was_shown(client):
    posted = {"field": "airport_type", "value": "closed"}
    token = act(client, AIRPORTS, "set_field", ["KDEN"], **posted).context["token"]

    page = confirm(client, AIRPORTS, "set_field", ["KDEN"], field="airport_type", value="heliport", seen=token)

    assert "This is the plan of what you chose now" in page.content.decode()
    assert values("airport_type")["KDEN"] == "large_airport"


def test_a_viewer_may_not_and_does_not_see_it(places, viewer, browse_as):
    client = browse_as(viewer)

    assert setting(client, ["KDEN"], "name", "x").status_code == 403
    assert "set_field" not in client.get(AIRPORTS).content.decode()


def test_a_link_to_what_the_person_may_not_see_is_no_field(places, make_person, browse_as):
    from django.contrib.auth.models import Permission

    person = make_person("nia", group=None)
    person.user_permissions.set(
        Permission.objects.filter(codename__in=["view_airport", "change_airport"], content_type__app_label="airports")
    )

    page = setting(browse_as(person), ["KDEN"], "country", places["germany"].pk).content.decode()

    assert "is no field that can be changed here" in page
    assert "Germany" not in page


def test_a_pinned_field_changes_and_the_plan_says_that_it_is_pinned(client, places):
    from apps.imports.plan.pins import pin, pins_of

    pin(places["KDEN"], "name", note="as signed", actor=None)

    page = act(client, AIRPORTS, "set_field", ["KDEN"], field="name", value="Denver").content.decode()
    setting(client, ["KDEN"], "name", "Denver")

    assert "pinned against imports" in page
    assert values("name")["KDEN"] == "Denver"
    assert set(pins_of(Airport.objects.get(pk="KDEN"))) == {"name"}


def test_nothing_to_change_is_said(client):
    page = act(client, AIRPORTS, "set_field", ["KDEN"], field="airport_type", value="large_airport").content.decode()

    assert "<strong>1</strong> has that value already" in page
    assert 'name="confirm"' not in page
