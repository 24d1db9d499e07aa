"""Who may do what by which address; and that reading never writes."""

import pytest
from django.db import connection

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.models import Changeset

pytestmark = pytest.mark.django_db

# address -> (the people who may open it, the people who may post to it); the others get 403.
READERS = {"viewer", "operator", "steward"}
EDITORS = {"operator", "steward"}
STEWARDS = {"steward"}
NOBODY: set[str] = set()
ADDRESSES = {
    "/admin/airports/airport/": (READERS, STEWARDS),
    "/admin/airports/airport/add/": (EDITORS, EDITORS),
    "/admin/airports/airport/export/": (EDITORS, EDITORS),
    "/admin/airports/airport/KDEN/change/": (READERS, EDITORS),
    "/admin/airports/airport/KDEN/delete/": (STEWARDS, STEWARDS),
    "/admin/airports/airport/KDEN/history/": (READERS, READERS),
    "/admin/airports/airport/KDEN/history/{version}/": (READERS, NOBODY),
    "/admin/airports/airport/KDEN/actions/backup/": (EDITORS, EDITORS),
    "/admin/airports/airport/KDEN/actions/restore/": (STEWARDS, STEWARDS),
    "/admin/base/city/{city}/actions/backup/": (EDITORS, EDITORS),
    "/admin/base/city/{city}/actions/restore/": (STEWARDS, STEWARDS),
    "/admin/base/country/{country}/actions/backup/": (EDITORS, EDITORS),
    "/admin/base/country/{country}/actions/restore/": (STEWARDS, STEWARDS),
    "/admin/airports/airport/KDEN/go-back/{version}/": (EDITORS, EDITORS),
    "/admin/airports/airport/KDEN/as-of/": (READERS, NOBODY),
    "/admin/airports/airport/as-of/": (READERS, NOBODY),
    "/admin/airports/airport/between/": (READERS, NOBODY),
    "/admin/base/city/": (READERS, STEWARDS),
    "/admin/base/city/add/": (EDITORS, EDITORS),
    "/admin/base/city/export/": (EDITORS, EDITORS),
    "/admin/base/city/{city}/change/": (READERS, EDITORS),
    "/admin/base/city/{city}/delete/": (STEWARDS, STEWARDS),
    "/admin/base/city/{city}/history/": (READERS, READERS),
    "/admin/base/city/{city}/as-of/": (READERS, NOBODY),
    "/admin/base/city/as-of/": (READERS, NOBODY),
    "/admin/base/city/between/": (READERS, NOBODY),
    "/admin/base/country/": (READERS, STEWARDS),
    "/admin/base/country/add/": (EDITORS, EDITORS),
    "/admin/base/country/export/": (EDITORS, EDITORS),
    "/admin/base/country/{country}/change/": (READERS, EDITORS),
    "/admin/base/country/{country}/delete/": (STEWARDS, STEWARDS),
    "/admin/base/country/{country}/history/": (READERS, READERS),
    "/admin/base/country/{country}/as-of/": (READERS, NOBODY),
    "/admin/base/country/as-of/": (READERS, NOBODY),
    "/admin/base/country/between/": (READERS, NOBODY),
    "/admin/changesets/changeset/recycle-bin/": (READERS, NOBODY),
    "/admin/changesets/changeset/recycle-bin/restore/": (STEWARDS, STEWARDS),
    "/admin/changesets/changeset/": (READERS, READERS),
    "/admin/changesets/changeset/add/": (NOBODY, NOBODY),
    "/admin/changesets/changeset/{changeset}/change/": (READERS, NOBODY),
    "/admin/changesets/changeset/{changeset}/delete/": (NOBODY, NOBODY),
    "/admin/changesets/changeset/{changeset}/revert/": (STEWARDS, STEWARDS),
    "/admin/changesets/changeset/revert/?ids={changeset}": (STEWARDS, STEWARDS),
}
PEOPLE = ("viewer", "operator", "steward", "outsider")


@pytest.fixture
def addresses(places) -> dict[str, str]:
    values = {
        "city": places["denver"].pk,
        "country": places["usa"].pk,
        "changeset": places["import"].pk,
        "version": Airport.history.filter(ident="KDEN").first().pk,
    }
    return {address: address.format(**values) for address in ADDRESSES}


def everything() -> list:
    tables = (Airport, City, Country, Changeset, Airport.history.model, City.history.model, Country.history.model)
    return [list(table._base_manager.order_by("pk").values()) for table in tables]


@pytest.mark.parametrize("name", PEOPLE)
def test_reading_is_for_those_who_may_and_writes_nothing(name, addresses, request, browse_as):
    client = browse_as(request.getfixturevalue(name))
    before = everything()

    answers = {address: client.get(path).status_code for address, path in addresses.items()}

    assert answers == {address: 200 if name in may else 403 for address, (may, _) in ADDRESSES.items()}
    assert everything() == before


@pytest.mark.parametrize("name", PEOPLE)
def test_posting_is_refused_to_those_who_may_not(name, addresses, request, browse_as):
    client = browse_as(request.getfixturevalue(name))
    before = everything()

    answers = {
        address: client.post(path, {"post": "yes", "name": "hacked", "_save": "Save", "action": "delete_selected"})
        for address, path in addresses.items()
    }

    refused = {address for address, response in answers.items() if response.status_code == 403}
    assert refused == {address for address, (_, may) in ADDRESSES.items() if name not in may}
    assert everything() == before


@pytest.mark.parametrize("path", ["/admin/airports/airport/", "/admin/base/city/", "/admin/base/country/"])
def test_the_bulk_deletion_is_not_there_for_who_may_not_delete(path, places, viewer, operator, browse_as):
    before = everything()
    chosen = ["KDEN", str(places["denver"].pk), str(places["usa"].pk)]
    posted = {"action": "delete_selected", "post": "yes", "change_reason": "x", "_selected_action": chosen}

    for person in (viewer, operator):
        browse_as(person).post(path, posted)

    assert everything() == before


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("act", ["review", "unreview", "name"])
def test_reviews_and_names_are_posts_of_stewards_alone(name, act, places, request, browse_as):
    client = browse_as(request.getfixturevalue(name))
    address = f"/admin/changesets/changeset/{places['import'].pk}/{act}/"
    before = everything()

    read = client.get(address).status_code
    assert everything() == before
    posted = client.post(address, {"comment": "seen", "reason": "because"}).status_code

    assert (read, posted) == ((405, 302) if name == "steward" else (403, 403))
    assert (everything() == before) is (name != "steward" or act != "review")


@pytest.mark.parametrize("action", ["revert_selected", "revert_since"])
def test_the_actions_of_the_list_are_there_for_who_may_revert(action, places, operator, steward, browse_as):
    posted = {"action": action, "_selected_action": [str(places["import"].pk)]}
    before = everything()

    answers = [browse_as(person).post("/admin/changesets/changeset/", posted) for person in (operator, steward)]

    assert "/revert/" not in getattr(answers[0], "url", "")
    assert answers[1].url.startswith("/admin/changesets/changeset/revert/?")
    assert everything() == before


def test_strangers_are_sent_to_the_login(addresses, client):
    for path in addresses.values():
        for response in (client.get(path), client.post(path)):
            assert response.status_code == 302
            assert "/login/" in response.url


def test_the_revert_needs_the_permission_of_its_own(places, make_person, browse_as, edit):
    made = edit("KDEN", name="Denver Intl")
    client = browse_as(make_person("olaf", group="importer"))

    for response in (
        client.get(f"/admin/changesets/changeset/{made.pk}/revert/"),
        client.post(f"/admin/changesets/changeset/{made.pk}/revert/", {"reason": "because"}),
    ):
        assert response.status_code == 403
    assert Airport.objects.get(pk="KDEN").name == "Denver Intl"


def test_opening_every_page_sends_the_database_only_reading_statements(addresses, steward, browse_as):
    client = browse_as(steward)
    written = []

    def watch(execute, sql, params, many, context):
        words = sql.split()
        if words[0] in ("INSERT", "UPDATE", "DELETE") and not any(
            mark in sql for mark in ("temp.", "django_session", "django_content_type")
        ):
            written.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        for path in addresses.values():
            client.get(path)

    assert written == []
