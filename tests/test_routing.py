"""Read replicas: pages that read do so from a replica; whatever writes, decides or has just written, from the primary.

The replica of these tests is a second connection to the database of the test, and tells what it was asked.
"""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.db import connections, router, transaction
from django.test import Client

from apps.airports.models import Airport
from apps.base.models import Country
from apps.changesets.context import changeset
from apps.imports.models import ImportRun
from travelmathlite import routing
from travelmathlite.routing import COOKIE, reading_from_replicas

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/base/country/"


@pytest.fixture
def asked(transactional_db: None) -> Iterator[list[str]]:
    """What the replica was asked."""
    connections.settings["replica"] = {**connections.settings["default"], "TEST": {"MIRROR": "default"}}
    # Tests may not ask databases that came later, unless they are connected already.
    connections["replica"].connect()
    questions: list[str] = []

    def note(execute, sql, params, many, context):
        questions.append(sql)
        return execute(sql, params, many, context)

    with connections["replica"].execute_wrapper(note):
        yield questions
    connections["replica"].close()
    if connections["replica"].vendor == "postgresql":
        connections["replica"].close_pool()
    del connections["replica"]
    del connections.settings["replica"]


@pytest.fixture
def root(asked: list[str]) -> Client:
    """A superuser's browser, and a country to look at."""
    Country.objects.create(iso_code="CH", name="Switzerland")
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def test_a_list_is_read_from_the_replica(root: Client, asked: list[str]):
    page = root.get(LIST)

    assert "Switzerland" in page.content.decode()
    assert any('FROM "base_country"' in question for question in asked)


def test_sessions_and_users_are_read_from_the_primary(root: Client, asked: list[str]):
    root.get(LIST)

    assert not [question for question in asked if "django_session" in question or "auth_user_groups" in question]


def test_a_form_that_is_posted_reads_from_the_primary_and_so_does_its_author_for_some_seconds(root, asked, settings):
    country = Country.objects.get()
    form = root.get(f"{LIST}{country.pk}/change/").context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    del asked[:]

    answer = root.post(
        f"{LIST}{country.pk}/change/",
        {name: value for name, value in values.items() if value not in (None, False)} | {"name": "Suisse"},
    )

    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert answer.cookies[COOKIE]["max-age"] >= settings.REPLICA_LAG_SECONDS
    assert "Suisse" in root.get(LIST).content.decode()
    assert not [question for question in asked if "base_country" in question]
    del root.cookies[COOKIE]
    root.get(LIST)
    assert [question for question in asked if "base_country" in question]


@pytest.mark.parametrize("value", ["1", "no place", "0/", "G/1", "1/1'; SELECT 1; --", "FFFFFFFF/FFFFFFFF"])
def test_a_cookie_that_somebody_made_up_leads_to_the_primary(root: Client, asked: list[str], value: str):
    root.cookies[COOKIE] = value

    assert root.get(LIST).status_code == 200
    assert not [question for question in asked if "base_country" in question]


def test_reading_sets_no_cookie(root: Client):
    assert COOKIE not in root.get(LIST).cookies


def test_after_a_write_in_plain_sql_reads_go_to_the_primary(asked: list[str]):
    with reading_from_replicas():
        before = Airport.objects.all().db
        with connections["default"].cursor() as cursor:
            cursor.execute("DELETE FROM airports_airport")
        after = Airport.objects.all().db

    assert (before, after) == ("replica", "default")


def test_a_changeset_in_progress_is_read_where_it_is(asked: list[str]):
    with reading_from_replicas():
        with transaction.atomic():
            assert Airport.objects.all().db == "default"
        with changeset(kind="edit", actor=None):
            Country.objects.create(iso_code="FR", name="France")
            assert Country.objects.get(iso_code="FR").history.get().changeset.kind == "edit"
        assert Country.objects.all().db == "default"
    assert not asked


def test_commands_workers_and_runs_of_imports_read_from_the_primary(asked: list[str]):
    assert Airport.objects.all().db == "default"
    with reading_from_replicas():
        assert ImportRun.objects.all().db == "default"


def test_an_object_that_was_read_from_a_replica_is_saved_in_the_primary(root: Client):
    with reading_from_replicas():
        country = Country.objects.get()
        assert country._state.db == "replica"
        country.name = "Suisse"
        country.save()
        airport = Airport(ident="LSZH", country=country)
        airport.save()

    assert (country._state.db, airport._state.db) == ("default", "default")
    assert Country.history.count() == 2


def test_one_page_reads_from_one_replica_since_two_lag_differently(asked: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(routing, "usable_replicas", lambda after: [f"replica{number}" for number in range(50)])

    pages = []
    for _ in range(3):
        with reading_from_replicas():
            pages.append({router.db_for_read(model) for model in (Airport, Country, Airport.history.model)})

    assert [len(chosen) for chosen in pages] == [1, 1, 1]
    assert len(set.union(*pages)) > 1


def test_a_replica_is_never_migrated(asked: list[str]):
    assert not router.allow_migrate("replica", "airports")
    assert router.allow_migrate("default", "airports")


def test_without_replicas_every_read_goes_to_the_primary():
    with reading_from_replicas():
        assert Airport.objects.all().db == "default"
