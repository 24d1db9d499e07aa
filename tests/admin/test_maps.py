"""Maps: what their data say, to whom, and that they are never of an earlier state."""

import json

import pytest

from apps.airports.models import Airport
from apps.base.models import Country
from apps.changesets.context import changeset
from apps.changesets.pages.nearby import around, read_near
from tests.admin.runs import make_run

MAP = "/admin/airports/airport/map.json"
CHANGESET = "/admin/changesets/changeset/{}/map.json"


@pytest.fixture
def placed(places):
    """The three airports, at their places."""
    for ident, latitude, longitude in (("KDEN", 39.86, -104.67), ("KBKF", 39.7, -104.75), ("EDDM", 48.35, 11.79)):
        Airport.objects.filter(pk=ident).update(latitude_deg=latitude, longitude_deg=longitude)
    return places


def points_of(found):
    """Return the packed points as {key: (group, latitude, longitude)}."""
    labels = [found["groups"][int(group)]["name"] for group in found["group"]]
    scaled = [[number / found["scale"] for number in found[side]] for side in ("lat", "lon")]
    return dict(zip(found["keys"].split("\n"), zip(labels, *scaled, strict=True), strict=True))


def test_the_map_has_each_airport_by_type_and_place(browse_as, viewer, placed):
    Airport.objects.filter(pk="KBKF").update(airport_type="closed")

    found = browse_as(viewer).get(MAP).json()

    assert points_of(found) == {
        "KDEN": ("large_airport", 39.86, -104.67),
        "KBKF": ("closed", 39.7, -104.75),
        "EDDM": ("large_airport", 48.35, 11.79),
    }
    assert {group["name"]: group["count"] for group in found["groups"] if group["count"]} == {
        "large_airport": 2,
        "closed": 1,
    }


def test_the_map_of_a_country_has_only_its_airports(browse_as, viewer, placed):
    found = browse_as(viewer).get(f"{MAP}?country={placed['germany'].pk}").json()

    assert found["keys"] == "EDDM"


def test_what_a_browser_has_does_not_travel_again_until_a_row_moves(browse_as, viewer, placed):
    client = browse_as(viewer)
    first = client.get(MAP)
    etag = first["ETag"]
    assert "no-store" not in first["Cache-Control"]

    assert client.get(MAP, headers={"if-none-match": etag}).status_code == 304
    Airport.objects.filter(pk="KDEN").update(latitude_deg=10)

    answer = client.get(MAP, headers={"if-none-match": etag})
    assert answer.status_code == 200
    assert points_of(answer.json())["KDEN"][1] == 10


def test_the_data_are_packed_for_who_can_unpack_them(browse_as, viewer, placed):
    answer = browse_as(viewer).get(MAP, headers={"accept-encoding": "gzip"})

    assert answer["Content-Encoding"] == "gzip"
    assert answer.content[:2] == b"\x1f\x8b"


def test_the_map_of_findings_has_the_worst_of_each_airport(browse_as, viewer, placed):
    Airport.objects.filter(pk="KDEN").update(name="")
    Airport.objects.filter(pk="EDDM").update(municipality="")

    found = points_of(browse_as(viewer).get("/admin/airports/airport/findings-map.json").json())

    assert found["KDEN"][0] == "error"
    assert found["EDDM"][0] == "info"


def test_a_changeset_shows_what_came_went_and_moved(browse_as, viewer, placed):
    with changeset(kind="bulk_action", actor=None) as made:
        Airport.objects.filter(pk="KDEN").update(latitude_deg=40.5)
        Airport.objects.filter(pk="KBKF").update(name="Buckley")
        Airport.objects.filter(pk="EDDM").delete()
        Airport.objects.create(ident="EDMA", name="Augsburg", latitude_deg=48.42, longitude_deg=10.93)

    found = browse_as(viewer).get(CHANGESET.format(made.pk)).json()

    groups = {key: group for key, (group, *_) in points_of(found).items()}
    assert groups == {"KDEN": "moved", "KBKF": "changed", "EDDM": "deleted", "EDMA": "created"}
    assert (found["was_lat"], found["was_lon"]) == ([39860], [-104670])


def test_a_renamed_airport_moves_under_its_new_key(browse_as, viewer, placed):
    with changeset(kind="bulk_action", actor=None) as made:
        airport = Airport.objects.get(pk="KDEN")
        Airport.objects.filter(pk="KDEN").delete()
        airport.pk, airport.latitude_deg = "KDNV", 41.0
        airport.save(force_insert=True)

    found = points_of(browse_as(viewer).get(CHANGESET.format(made.pk)).json())

    assert found == {"KDNV": ("moved", 41.0, -104.67)}


def test_the_page_of_the_map_says_the_same_in_numbers(browse_as, viewer, placed):
    with changeset(kind="bulk_action", actor=None, reason="one degree") as made:
        Airport.objects.filter(pk="KDEN").update(latitude_deg=40.86)

    page = browse_as(viewer).get(f"/admin/changesets/changeset/{made.pk}/map/")

    assert page.context["groups"][0][1] == 1
    (_, name, _, km) = page.context["farthest"][0]
    assert name == "KDEN · Denver International Airport"
    assert km == pytest.approx(111.2, abs=0.1)


def test_a_changeset_without_places_says_so(browse_as, viewer, placed):
    with changeset(kind="edit", actor=None) as made:
        Country.objects.filter(pk=placed["usa"].pk).update(iso3="USA")

    page = browse_as(viewer).get(f"/admin/changesets/changeset/{made.pk}/map/")

    assert "None has a position" in page.content.decode()


def test_a_plan_shows_what_would_come_move_change_and_is_missing(browse_as, operator, placed):
    run = make_run(operator, summary={"sample": []})
    row = {"run": run, "label": ""}
    new = {"values": {"latitude_deg": 50.0}, "upstream": {"latitude_deg": 1.0, "longitude_deg": 8.5}, "links": {}}
    rows = run.rows.model.objects
    rows.create(**row, kind="new", new_pk="EDXX", payload=new)
    rows.create(**row, kind="changed", old_pk="KDEN", new_pk="KDNV", changes={"latitude_deg": [39.86, 41.0]})
    rows.create(**row, kind="changed", old_pk="KBKF", new_pk="KBKF", changes={"name": ["a", "b"]})
    rows.create(**row, kind="missing", old_pk="EDDM", new_pk="EDDM")

    found = browse_as(operator).get(f"/admin/imports/importrun/{run.pk}/map.json").json()

    assert points_of(found) == {
        "EDXX": ("new", 50.0, 8.5),
        "KDNV": ("changed", 41.0, -104.67),
        "KBKF": ("changed", 39.7, -104.75),
        "EDDM": ("missing", 48.35, 11.79),
    }
    assert (found["was_lat"], found["was_lon"]) == ([39860], [-104670])


@pytest.mark.parametrize("asked", ["", "1,2", "a,b,c", "91,0,5", "0,181,5", "0,0,0", "0,0,nan", "0,0,1e9"])
def test_a_place_that_cannot_be_read_filters_nothing(browse_as, viewer, placed, asked):
    assert read_near(asked) is None
    assert browse_as(viewer).get("/admin/airports/airport/", {"near": asked}).status_code == 200


def test_the_list_around_a_place_has_what_lies_there(browse_as, viewer, placed):
    page = browse_as(viewer).get("/admin/airports/airport/", {"near": "39.8,-104.7,30"})

    assert [airport.pk for airport in page.context["cl"].result_list] == ["KBKF", "KDEN"]


def test_around_the_date_line_the_other_side_is_near(placed):
    Airport.objects.filter(pk="KDEN").update(latitude_deg=-17, longitude_deg=179.9)
    Airport.objects.filter(pk="KBKF").update(latitude_deg=-17, longitude_deg=-179.9)

    near = Airport.objects.filter(around(-17, 179.95, 50, point=["latitude_deg", "longitude_deg"]))

    assert {airport.pk for airport in near} == {"KDEN", "KBKF"}


def test_names_are_told_to_who_may_see_the_model(browse_as, viewer, outsider, placed):
    address = "/admin/changesets/changeset/name/?model=airports.airport&key=KDEN"

    assert json.loads(browse_as(viewer).get(address).content) == {"name": "KDEN · Denver International Airport"}
    assert browse_as(outsider).get(address).status_code == 403
