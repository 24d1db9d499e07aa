"""What somebody sees who may not open a page, or opens one that there is not: words and a way on."""

import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("method", ["get", "post"])
def test_who_may_not_do_something_is_told_and_led_on(method, places, viewer, browse_as):
    answer = getattr(browse_as(viewer), method)("/admin/airports/airport/KDEN/actions/backup/")

    assert answer.status_code == 403
    page = answer.content.decode()
    assert f"{viewer.username} may not see or do this, and nothing was changed." in page
    assert 'href="/admin/"' in page


def test_what_is_not_there_is_told(places, viewer, browse_as):
    answer = browse_as(viewer).get("/admin/changesets/changeset/999/changes.csv")

    assert answer.status_code == 404
    assert "This page does not exist" in answer.content.decode()
