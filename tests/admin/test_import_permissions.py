"""Who may do what about an import, step by step, by GET and by POST."""

import pytest

from apps.imports.models import ImportRun
from tests.admin.runs import IMPORTS, make_run, plan_rows

pytestmark = pytest.mark.django_db

NOBODY: set[str] = set()
PEOPLE = ("outsider", "viewer", "editor", "importer", "uploader", "approver", "superuser")
SEERS = {"viewer", "editor", "importer", "uploader", "approver", "superuser"}
DECIDERS = {"uploader", "approver", "superuser"}
IMPORTERS = {"importer", "uploader", "approver", "superuser"}
# address -> who may open it, who may post to it; the others get 403.
ADDRESSES = {
    "/admin/airports/airport/import/": (IMPORTERS, IMPORTERS),
    IMPORTS: (SEERS, SEERS),
    IMPORTS + "add/": (NOBODY, NOBODY),
    IMPORTS + "{run}/change/": (SEERS, NOBODY),
    IMPORTS + "{run}/delete/": (NOBODY, NOBODY),
    IMPORTS + "{run}/progress/": (SEERS, SEERS),
    IMPORTS + "{run}/mapping/": (DECIDERS, DECIDERS),
    IMPORTS + "{run}/plan-again/": (DECIDERS, DECIDERS),
    IMPORTS + "{run}/decide/": (DECIDERS, DECIDERS),
    IMPORTS + "{run}/confirm/": (DECIDERS, DECIDERS),
    IMPORTS + "{run}/cancel/": (DECIDERS, DECIDERS),
    IMPORTS + "{run}/start-again/": (DECIDERS, DECIDERS),
    IMPORTS + "{run}/refused.csv": (DECIDERS, DECIDERS),
    IMPORTS + "{run}/file/": (DECIDERS, DECIDERS),
}


@pytest.fixture
def people(make_person, outsider, django_user_model) -> dict:
    groups = {"viewer": "viewer", "editor": "editor", "importer": "importer", "uploader": "importer"}
    made = {name: make_person(name, group=group) for name, group in groups.items()}
    boss = django_user_model.objects.create_superuser("boss", password="x")
    return {**made, "outsider": outsider, "approver": make_person("approver", group="approver"), "superuser": boss}


@pytest.mark.parametrize("name", PEOPLE)
def test_every_step_asks_who_it_is(people, places, browse_as, name):
    client = browse_as(people[name])
    let_in = {}

    for address in ADDRESSES:
        run = make_run(people["uploader"], summary={"sample": []})
        plan_rows(run)
        opened = client.get(address.format(run=run.pk)).status_code
        posted = client.post(address.format(run=run.pk)).status_code
        let_in[address] = (opened != 403, posted != 403)

    assert let_in == {
        address: (name in may_open, name in may_post) for address, (may_open, may_post) in ADDRESSES.items()
    }


@pytest.mark.parametrize("what", ["plan-again", "decide", "confirm", "cancel", "start-again"])
def test_an_act_is_never_a_get(people, browse_as, what):
    run = make_run(people["uploader"])

    answer = browse_as(people["uploader"]).get(f"{IMPORTS}{run.pk}/{what}/")

    assert answer.status_code == 405
    assert ImportRun.objects.get().status == "planned"


def test_somebody_without_the_permission_to_see_imports_still_sees_their_own(people, browse_as):
    people["uploader"].groups.clear()
    own, other = make_run(people["uploader"]), make_run(people["importer"])
    client = browse_as(people["uploader"])

    assert client.get(f"{IMPORTS}{own.pk}/change/").status_code == 200
    assert client.get(f"{IMPORTS}{other.pk}/change/").status_code == 403


def test_who_may_not_confirm_is_told_why(people, browse_as):
    run = make_run(people["uploader"], counts={"created": 3})

    text = browse_as(people["viewer"]).get(f"{IMPORTS}{run.pk}/change/").content.decode()

    assert "You need the permission to import airports." in text
    assert "/confirm/" not in text
    assert 'name="tick"' not in text


@pytest.mark.parametrize("number", ["999", "x", "9" * 30])
def test_an_import_that_is_not_there_leads_to_a_sentence(people, browse_as, number):
    answer = browse_as(people["viewer"]).get(f"{IMPORTS}{number}/change/")

    assert answer.status_code == 302


def test_an_address_below_an_import_that_is_not_there_is_not_found(people, browse_as):
    assert browse_as(people["importer"]).get(f"{IMPORTS}999/progress/").status_code == 404
