"""What people are shown of an import beside what the matrix of permissions says."""

import pytest

from tests.admin.runs import IMPORTS, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(make_person, outsider, django_user_model) -> dict:
    groups = {"viewer": "viewer", "editor": "editor", "importer": "importer", "uploader": "importer"}
    made = {name: make_person(name, group=group) for name, group in groups.items()}
    boss = django_user_model.objects.create_superuser("boss", password="x")
    return {**made, "outsider": outsider, "approver": make_person("approver", group="approver"), "superuser": boss}


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
