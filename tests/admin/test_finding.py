"""One search over all changesets: by object, field, country, person, period and kind."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.airports.models import Airport
from apps.changesets.history import search as finding
from apps.changesets.models import Changeset

pytestmark = pytest.mark.django_db
LIST = "/admin/changesets/changeset/"


@pytest.fixture
def made(places, viewer, edit):
    """The first import, an edit of Denver's name, one of Munich's elevation, and a direct write to Denver."""
    by_vera = edit("KDEN", actor=viewer, name="Mile High")
    munich = edit("EDDM", elevation_ft=1)
    Airport.objects.filter(pk="KDEN").update(elevation_ft=2)
    direct = Changeset.objects.get(kind="direct")
    return {"import": places["import"].pk, "name": by_vera.pk, "munich": munich.pk, "direct": direct.pk}


def found(client, made, **query) -> list[str]:
    names = {pk: name for name, pk in made.items()}
    return sorted(names.get(row.pk, "?") for row in client.get(LIST, query).context["cl"].result_list)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"object": "kden"}, ["direct", "import", "name"]),
        ({"object": "mile high"}, ["direct", "import", "name"]),
        ({"object": "Denver International"}, ["direct", "import", "name"]),
        ({"object": "munich airport"}, ["import", "munich"]),
        ({"object": "MÜNCHEN"}, ["import"]),
        ({"object": "DE"}, ["direct", "import", "name"]),
        ({"object": "nowhere"}, []),
        ({"object": "%"}, []),
        ({"field": "airport.name"}, ["name"]),
        ({"field": "airport.elevation_ft"}, ["direct", "munich"]),
        ({"field": "airport.nonsense"}, []),
        ({"field": "nonsense"}, []),
        ({"object": "KDEN", "field": "airport.elevation_ft"}, ["direct"]),
        ({"object": "KDEN", "field": "airport.name"}, ["name"]),
        ({"object": "KDEN", "person": "vera"}, ["name"]),
        ({"object": "KDEN", "kind__exact": "import"}, ["import"]),
        ({"country": "nonsense"}, []),
        ({"country": "9" * 30}, []),
        ({"since": "nonsense", "object": "munich airport"}, ["import", "munich"]),
        ({"since": "2999-01-01"}, []),
        ({"until": "1999-01-01"}, []),
        ({"since": "2999-13-45", "field": "airport.name"}, ["name"]),
    ],
)
def test_changesets_are_found_by_what_they_changed(made, viewer, browse_as, query, expected):
    assert found(browse_as(viewer), made, **query) == expected


def test_changesets_are_found_by_country(made, places, viewer, browse_as):
    client = browse_as(viewer)

    assert found(client, made, country=places["germany"].pk) == ["import", "munich"]
    assert found(client, made, country=places["germany"].pk, object="KDEN") == []
    assert found(client, made, country=places["usa"].pk, field="airport.elevation_ft") == ["direct"]


def test_changesets_are_found_by_period(made, viewer, browse_as):
    day = timezone.localdate()
    Changeset.objects.filter(pk=made["munich"]).update(created_at=timezone.now() - timedelta(days=10))
    client = browse_as(viewer)

    assert found(client, made, until=str(day - timedelta(days=5))) == ["munich"]
    assert "munich" not in found(client, made, since=str(day), until=str(day))


def test_a_former_key_finds_what_the_object_did_before_and_after(made, viewer, browse_as, rename):
    made = {**made, "renaming": rename("KDEN", "KDNX").pk}
    client = browse_as(viewer)

    for key in ("KDEN", "KDNX"):
        assert found(client, made, object=key) == ["direct", "import", "name", "renaming"]


def test_what_fits_too_many_objects_is_refused_with_a_sentence(made, viewer, browse_as, monkeypatch):
    monkeypatch.setattr(finding, "MOST_OBJECTS", 1)

    page = browse_as(viewer).get(LIST, {"object": "air"}).content.decode()

    assert "“air” fits more than 1 objects: write more of the name." in page


def test_the_form_keeps_what_was_asked(made, viewer, browse_as):
    page = browse_as(viewer).get(LIST, {"object": "KDEN", "kind__exact": "edit"}).content.decode()

    assert 'name="object" value="KDEN"' in page
    assert '<option value="airport.name">airport: name</option>' in page
    assert '<input type="hidden" name="kind__exact" value="edit">' in page


def test_the_form_opens_where_it_is_asked_for(made, viewer, browse_as):
    client = browse_as(viewer)

    assert 'href="?find=1"' in client.get(LIST).content.decode()
    opened = client.get(LIST, {"find": "1"})
    assert 'name="object"' in opened.content.decode()
    assert opened.context["cl"].result_count == 4


def test_more_changesets_take_no_more_queries(made, viewer, browse_as, edit):
    client = browse_as(viewer)
    query = {"object": "KDEN", "field": "airport.name"}
    client.get(LIST, query)
    with CaptureQueriesContext(connection) as few:
        client.get(LIST, query)
    for number in range(10):
        edit("KDEN", name=f"name {number}")

    with CaptureQueriesContext(connection) as many:
        client.get(LIST, query)

    assert len(many) <= len(few) + 1
