"""Editing, adding and deleting in the admin: each a changeset, and never more than the person changed."""

import pytest

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.models import Changeset

pytestmark = pytest.mark.django_db
KDEN = "/admin/airports/airport/KDEN/change/"


def newest() -> Changeset:
    return Changeset.objects.order_by("-pk").first()


def test_an_edit_is_a_changeset_with_person_and_reason(places, operator, browse_as, open_form):
    client = browse_as(operator)
    values = open_form(client, KDEN)

    response = client.post(KDEN, {**values, "name": "Denver Intl", "change_reason": "as signed"}, follow=True)

    made = newest()
    assert (made.kind, made.actor, made.reason) == ("edit", operator, "as signed")
    assert made.counts == {"airports.airport": {"changed": 1}}
    assert Airport.objects.get(pk="KDEN").search_name == "denver intl"
    said = response.content.decode()
    assert (
        f'KDEN · Denver Intl changed. <a href="/admin/changesets/changeset/{made.pk}/change/">Review #{made.pk}</a>'
        in said
    )
    assert "successfully" not in said


def test_saving_without_a_change_leaves_no_changeset(places, operator, browse_as, open_form):
    client = browse_as(operator)
    values = open_form(client, KDEN)

    response = client.post(KDEN, {**values, "change_reason": "nothing really"}, follow=True)

    assert Changeset.objects.count() == 1
    assert "Nothing was changed on KDEN" in response.content.decode()


def test_what_another_person_changed_meanwhile_in_other_fields_is_not_touched(
    places, operator, browse_as, open_form, edit
):
    client = browse_as(operator)
    values = open_form(client, KDEN)
    edit("KDEN", elevation_ft=5434, municipality="Denver County")

    client.post(KDEN, {**values, "name": "Denver Intl"})

    airport = Airport.objects.get(pk="KDEN")
    assert (airport.name, airport.elevation_ft, airport.municipality) == ("Denver Intl", 5434, "Denver County")


def test_a_field_that_both_changed_comes_back_with_both_values(places, operator, steward, browse_as, open_form, edit):
    client = browse_as(operator)
    values = open_form(client, KDEN)
    edit("KDEN", actor=steward, name="Denver by Stan", elevation_ft=1)

    response = client.post(KDEN, {**values, "name": "Denver by Olga"})

    assert Airport.objects.get(pk="KDEN").name == "Denver by Stan"
    [sentence] = response.context["adminform"].form.errors["name"]
    assert sentence.startswith("Stan changed this to “Denver by Stan”")
    assert "you entered “Denver by Olga”" in sentence
    assert Changeset.objects.filter(actor=operator).count() == 0


def test_saving_again_after_both_values_were_shown_is_the_persons_choice(
    places, operator, steward, browse_as, open_form, edit
):
    client = browse_as(operator)
    values = open_form(client, KDEN)
    edit("KDEN", actor=steward, name="Denver by Stan", elevation_ft=1, active=False)
    form = client.post(KDEN, {**values, "name": "Denver by Olga"}).context["adminform"].form
    shown = {name: form[name].value() for name in form.fields}

    client.post(KDEN, {name: value for name, value in shown.items() if value not in (None, False)})

    airport = Airport.objects.get(pk="KDEN")
    assert (airport.name, airport.elevation_ft, airport.active) == ("Denver by Olga", 1, False)
    assert newest().counts == {"airports.airport": {"changed": 1}}


def test_the_same_change_by_two_people_is_no_conflict(places, operator, browse_as, open_form, edit):
    client = browse_as(operator)
    values = open_form(client, KDEN)
    edit("KDEN", name="Denver Intl")

    response = client.post(KDEN, {**values, "name": "Denver Intl"})

    assert response.status_code == 302
    assert Changeset.objects.count() == 2


def test_an_ident_that_means_another_airport_by_now_is_refused(places, operator, browse_as, open_form):
    client = browse_as(operator)
    values = open_form(client, KDEN)
    Airport.objects.filter(pk="KDEN").update(source_id=999)

    response = client.post(KDEN, {**values, "name": "Denver Intl"})

    assert "Another object has this key now" in str(response.context["adminform"].form.errors)
    assert Airport.objects.get(pk="KDEN").name == "Denver International Airport"


@pytest.mark.parametrize("version", ["", "0", "-1", "x", "99999999999999999999", "987654321"])
def test_a_made_up_version_never_breaks_the_page(places, operator, browse_as, open_form, version):
    client = browse_as(operator)
    values = open_form(client, KDEN)

    response = client.post(KDEN, {**values, "seen_version": version, "name": "Denver Intl"})

    assert response.status_code in (200, 302)


def test_the_ident_of_an_airport_is_chosen_once(places, operator, browse_as, open_form):
    client = browse_as(operator)
    values = open_form(client, KDEN)

    client.post(KDEN, {**values, "ident": "KXXX", "name": "Denver Intl"})

    assert "ident" not in values
    assert not Airport.objects.filter(pk="KXXX").exists()


def test_a_city_is_not_offered_as_a_list_of_all_cities(places, operator, browse_as):
    City.objects.bulk_create([City(country=places["usa"], name=f"Town {n}", slug=f"town-{n}") for n in range(300)])

    page = browse_as(operator).get(KDEN).content.decode()

    assert "Town 7" not in page
    assert "admin-autocomplete" in page


def test_choices_of_cities_name_the_country(places, operator, browse_as):
    address = "/admin/autocomplete/?app_label=airports&model_name=airport&field_name=city&term=MÜN"

    found = browse_as(operator).get(address).json()["results"]

    assert [choice["text"] for choice in found] == ["München, Germany"]


def test_adding_is_a_changeset(places, operator, browse_as):
    values = {"name": "Aurora", "country": places["usa"].pk, "active": "on", "change_reason": "missing so far"}

    browse_as(operator).post("/admin/base/city/add/", values)

    made = newest()
    assert (made.kind, made.reason, made.counts) == ("edit", "missing so far", {"base.city": {"created": 1}})
    assert City.objects.get(name="Aurora").slug == "aurora"


def test_the_ascii_name_of_a_city_follows_its_name_unless_it_is_another(places, operator, browse_as, open_form):
    client, city = browse_as(operator), places["munich"]
    address = f"/admin/base/city/{city.pk}/change/"

    client.post(address, {**open_form(client, address), "name": "Münich"})
    city.refresh_from_db()
    assert city.ascii_name == "Munich"
    client.post(address, {**open_form(client, address), "name": "München", "ascii_name": "Muenchen"})
    client.post(address, {**open_form(client, address), "name": "Monaco"})
    city.refresh_from_db()
    assert (city.name, city.ascii_name) == ("Monaco", "Muenchen")


def test_a_second_city_of_the_same_name_is_refused_in_words(places, operator, browse_as):
    values = {"name": "  DENVER ", "country": places["usa"].pk, "active": "on"}

    response = browse_as(operator).post("/admin/base/city/add/", values)

    assert "United States (US) has a city called DENVER already." in response.content.decode()


def test_a_city_of_another_country_is_refused(places, operator, browse_as, open_form):
    client = browse_as(operator)
    values = open_form(client, KDEN)

    response = client.post(KDEN, {**values, "city": places["munich"].pk})

    assert "München is in Germany (DE), not in United States (US)." in response.content.decode()


@pytest.mark.parametrize("posted", [{"post": "yes"}, {"x": "y"}, {"post": "yes", "action": "x", "change_reason": " "}])
def test_deleting_asks_for_a_reason(places, steward, browse_as, posted):
    client = browse_as(steward)

    response = client.post("/admin/airports/airport/KDEN/delete/", posted)

    assert response.status_code == 200
    assert "Say why" in response.content.decode()
    assert Airport.objects.filter(pk="KDEN").exists()


def test_deleting_a_city_is_a_changeset_that_has_the_airports_it_unlinks(places, steward, browse_as):
    client = browse_as(steward)
    address = f"/admin/base/city/{places['denver'].pk}/delete/"
    asked = client.get(address).content.decode()

    client.post(address, {"post": "yes", "change_reason": "no such place"})

    assert "<strong>2</strong> airports will no longer be linked to it" in asked
    made = newest()
    assert (made.kind, made.actor, made.reason) == ("delete", steward, "no such place")
    assert made.counts == {"base.city": {"deleted": 1}, "airports.airport": {"changed": 2}}


def test_deleting_several_is_one_changeset(places, steward, browse_as):
    client = browse_as(steward)
    chosen = {"action": "delete_selected", "_selected_action": ["KDEN", "KBKF"]}
    asked = client.post("/admin/airports/airport/", {**chosen, "post": "yes"}).content.decode()

    response = client.post(
        "/admin/airports/airport/", {**chosen, "post": "yes", "change_reason": "closed"}, follow=True
    )

    assert "Say why" in asked
    assert newest().counts == {"airports.airport": {"deleted": 2}}
    assert "2 airports deleted." in response.content.decode()


def test_what_forbids_a_deletion_is_counted_where_it_is_much(places, steward, browse_as):
    City.objects.bulk_create([City(country=places["usa"], name=f"Town {n}", slug=f"town-{n}") for n in range(60)])
    client = browse_as(steward)
    address = f"/admin/base/country/{places['usa'].pk}/delete/"

    page = client.get(address).content.decode()
    client.post(address, {"post": "yes", "change_reason": "gone"})

    assert "<strong>61</strong> of its cities would go along" in page
    assert "2 airports point to United States (US): clear their country first." in page
    assert "Town 7" not in page
    assert Country.objects.filter(pk=places["usa"].pk).exists()


def test_a_country_in_use_is_not_deleted(places, steward, browse_as):
    client = browse_as(steward)
    address = f"/admin/base/country/{places['usa'].pk}/delete/"

    client.post(address, {"post": "yes", "change_reason": "gone"})

    page = client.get(address).content.decode()
    assert "2 airports point to United States (US): clear their country first." in page
    assert '<input type="hidden" name="action" value="clear_country">' in page
    assert Country.objects.filter(pk=places["usa"].pk).exists()
    assert Changeset.objects.count() == 1
