"""A country or city is backed up and restored with what hangs on it, if that is asked for."""

import json
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.airports.models import Airport
from apps.backups.catalogue.signing import sign
from apps.backups.objects.bringing_back import plan_hanging
from apps.backups.objects.document import hash_of
from apps.backups.objects.making import back_up_object
from apps.base.models import City, Country
from apps.changesets.context import changeset
from apps.changesets.models import Changeset

pytestmark = pytest.mark.django_db


def restore(client, place, backup, **posted):
    address = f"/admin/{place._meta.app_label}/{place._meta.model_name}/{place.pk}/actions/restore/"
    shown = client.get(f"{address}?backup={backup.name}").context
    return client.post(address, {"backup": backup.name, "seen": shown["token"], "reason": "was right", **posted})


def everything() -> list:
    rows = [list(model._base_manager.order_by("pk").values()) for model in (Country, City, Airport)]
    # When a link was set again is news, and no part of what came back.
    return [[{name: value for name, value in row.items() if name != "updated_at"} for row in table] for table in rows]


def clear_and_delete(country: Country) -> None:
    with changeset(kind="delete", actor=None):
        Airport.objects.filter(country=country).update(country=None, city=None)
        country.cities.all().delete()
        Country.objects.filter(pk=country.pk).delete()


def test_only_who_asks_gets_what_hangs_on_it(places, steward, browse_as):
    client = browse_as(steward)
    address = f"/admin/base/country/{places['usa'].pk}/actions/backup/"

    page = client.get(address).content.decode()
    alone = back_up_object(places["usa"], actor=None)
    client.post(address, {"reason": "all of it", "hanging": "yes"})

    assert "With its cities and the links of its airports" in page
    assert "hanging" not in json.loads(Path(alone.place).read_text())
    (file,) = set(Path(alone.place).parent.iterdir()) - {Path(alone.place)}
    hanging = json.loads(file.read_text())["hanging"]
    assert [each["name"] for each in hanging["belonging"]] == ["Denver"]
    assert [group["objects"] for group in hanging["pointing"]] == [[["KBKF", 3410], ["KDEN", 3486]]] * 2


def test_a_deleted_country_comes_back_with_its_cities_and_links_as_one_changeset(places, steward, browse_as):
    before, usa = everything(), places["usa"]
    backup = back_up_object(usa, actor=None, hanging=True)
    clear_and_delete(usa)
    changesets = Changeset.objects.count()

    assert plan_hanging(backup).lines == [
        ("created", 1, "city comes back"),
        ("changed", 2, "airports get their country back"),
        ("changed", 2, "airports get their city back"),
    ]
    restore(browse_as(steward), usa, backup, hanging="yes")

    assert everything() == before
    assert Changeset.objects.count() == changesets + 1
    assert Changeset.objects.first().counts == {
        "base.country": {"created": 1},
        "base.city": {"created": 1},
        "airports.airport": {"changed": 2},
    }


def test_a_large_country_takes_no_more_queries_than_a_small_one(places, steward, browse_as):
    client, numbers = browse_as(steward), []
    for many in (110, 300):
        land = Country.objects.create(iso_code=f"{many}"[:2], name=f"Land {many}")
        towns = City.objects.bulk_create(City(country=land, name=f"Town {n}", slug=f"t{n}") for n in range(many))
        Airport.objects.bulk_create(
            Airport(ident=f"{many}-{n}", name="x", country=land, city=town) for n, town in enumerate(towns)
        )
        before, backup = everything(), back_up_object(land, actor=None, hanging=True)
        clear_and_delete(land)
        with CaptureQueriesContext(connection) as queries:
            restore(client, land, backup, hanging="yes")
        numbers.append(len(queries))
        assert everything() == before

    assert numbers[0] == numbers[1]


def test_what_is_there_is_left_as_it_is(places, steward, browse_as, edit):
    backup = back_up_object(places["denver"], actor=None, hanging=True)
    edit("KDEN", city=places["munich"])
    edit("KBKF", city=None)

    restore(browse_as(steward), places["denver"], backup, hanging="yes")

    assert Airport.objects.get(pk="KDEN").city == places["munich"]
    assert Airport.objects.get(pk="KBKF").city == places["denver"]


def test_an_airport_that_was_renamed_gets_its_link_back(places, steward, browse_as):
    backup = back_up_object(places["denver"], actor=None, hanging=True)
    with changeset(kind="edit", actor=None):
        Airport.objects.filter(pk="KDEN").update(ident="KDNX", city=None)

    restore(browse_as(steward), places["denver"], backup, hanging="yes")

    assert Airport.objects.get(pk="KDNX").city == places["denver"]


def test_what_no_table_knows_is_named_and_waits_for_a_choice(places, steward, browse_as):
    backup = back_up_object(places["denver"], actor=None, hanging=True)
    with changeset(kind="edit", actor=None):
        Airport.objects.update(city=None)
    document = json.loads(Path(backup.place).read_text())
    document["hanging"]["belonging"] = [{"model": "base.suburb", "key": 1, "name": "x", "fields": {}, "links": {}}]
    document["hanging"]["pointing"].append({**document["hanging"]["pointing"][0], "field": "town"})
    Path(backup.place).write_text(json.dumps(sign(document | {"sha256": hash_of(document)})))

    page = restore(browse_as(steward), places["denver"], backup, hanging="yes").content.decode()
    refused = Airport.objects.get(pk="KDEN").city
    restore(browse_as(steward), places["denver"], backup, hanging="yes", rest="yes")

    assert "The backup has airports.airport.town, base.suburb hanging on it, which the tables no longer have." in page
    assert (refused, Airport.objects.get(pk="KDEN").city) == (None, places["denver"])


def test_without_the_tick_only_the_object_comes_back(places, steward, browse_as):
    backup = back_up_object(places["usa"], actor=None, hanging=True)
    clear_and_delete(places["usa"])

    restore(browse_as(steward), places["usa"], backup)

    assert Country.objects.filter(iso_code="US").exists()
    assert not City.objects.filter(name="Denver").exists()
    assert Airport.objects.get(pk="KDEN").country is None


def test_a_city_that_was_made_again_gets_the_links(places, steward, browse_as):
    usa = places["usa"]
    backup = back_up_object(usa, actor=None, hanging=True)
    with changeset(kind="edit", actor=None):
        places["denver"].delete()
        again = City.objects.create(country=usa, name="Denver")

    restore(browse_as(steward), usa, backup, hanging="yes")

    assert list(City.objects.filter(name="Denver")) == [again]
    assert Airport.objects.get(pk="KDEN").city == again


def test_what_stands_in_the_way_is_told_and_nothing_is_written(places, steward, browse_as):
    usa = places["usa"]
    backup = back_up_object(usa, actor=None, hanging=True)
    with changeset(kind="edit", actor=None):
        places["denver"].delete()
        City.objects.create(country=usa, name="Denver Town", slug="denver")
    before = everything()

    page = restore(browse_as(steward), usa, backup, hanging="yes").content.decode()

    assert "Nothing was restored: some of the cities that would come back have values that others have now" in page
    assert everything() == before


def test_nothing_to_bring_back_is_told(places, steward, browse_as):
    backup = back_up_object(places["usa"], actor=None, hanging=True)
    before = Changeset.objects.count()

    page = restore(browse_as(steward), places["usa"], backup, hanging="yes").content.decode()

    assert "nothing to restore" in page
    assert Changeset.objects.count() == before
