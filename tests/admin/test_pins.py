"""Pins in the admin: the line beside a field, pinning and unpinning, and keeping an object deleted."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.airports.models import Airport
from apps.changesets.context import changeset
from apps.changesets.models import Changeset
from apps.imports.models import Pin
from apps.imports.plan.pins import pin, pin_deletion, pins_of

pytestmark = pytest.mark.django_db
CHANGE = "/admin/airports/airport/KDEN/change/"
PIN = "/admin/airports/airport/KDEN/pin/elevation_ft/"
BIN = "/admin/changesets/changeset/recycle-bin/"


@pytest.fixture
def kden(places) -> Airport:
    """Denver, of which upstream says another elevation than ours."""
    with changeset(kind="import", actor=None):
        Airport.objects.filter(pk="KDEN").update(upstream={"elevation_ft": 5434, "airport_type": "large_airport"})
    return Airport.objects.get(pk="KDEN")


@pytest.fixture
def gone(places, steward) -> str:
    """The address where it is decided whether the deleted Denver stays deleted."""
    with changeset(kind="delete", actor=steward, reason="closed"):
        Airport.objects.filter(pk="KDEN").delete()
    row = Airport.history.get(ident="KDEN", history_type="-")
    return f"/admin/airports/airport/keep-deleted/{row.history_id}/"


# -- the line beside a field ---------------------------------------------------------------------------------


def test_a_field_that_differs_says_what_upstream_says(kden, viewer, browse_as):
    page = browse_as(viewer).get(CHANGE).content.decode()

    # Beside the field, and in the table of origins.
    assert page.count("upstream says") == 2
    assert "upstream says 5,434" in page


def test_a_pinned_field_says_who_pinned_it_when_and_why_also_to_who_only_reads(kden, steward, viewer, browse_as):
    pin(kden, "name", note="as <signed>", actor=steward)

    page = browse_as(viewer).get(CHANGE).content.decode()

    assert "pinned by stan, <time" in page
    assert '<q class="reason">as &lt;signed&gt;</q>' in page
    assert "/pin/" not in page


def test_who_may_change_finds_a_way_to_pin_and_to_unpin(kden, operator, browse_as):
    pin(kden, "name", note="as signed", actor=operator)

    page = browse_as(operator).get(CHANGE).content.decode()

    assert f'<a href="{PIN}" aria-label="Pin… elevation (ft)">Pin…</a>' in page
    assert '<a href="/admin/airports/airport/KDEN/pin/name/" aria-label="Unpin… name">Unpin…</a>' in page
    assert "pin/country/" in page
    assert "pin/search_name/" not in page


def test_the_page_of_a_new_object_and_of_an_old_version_have_no_pins(kden, operator, browse_as):
    client = browse_as(operator)
    version = Airport.history.filter(ident="KDEN").first().history_id

    for address in ("/admin/airports/airport/add/", f"/admin/airports/airport/KDEN/history/{version}/"):
        page = client.get(address).content.decode()
        assert "Pin…" not in page
        assert "upstream says" not in page


def test_pins_cost_the_change_page_one_query(kden, operator, browse_as, monkeypatch):
    client = browse_as(operator)
    client.get(CHANGE)
    with CaptureQueriesContext(connection) as with_pins:
        client.get(CHANGE)
    monkeypatch.setattr("apps.imports.pages.pinning.PinningMixin._add_pins", lambda *args: None)

    with CaptureQueriesContext(connection) as without:
        client.get(CHANGE)

    assert len(with_pins) - len(without) == 1


# -- pinning and unpinning -----------------------------------------------------------------------------------


def test_the_page_shows_value_upstream_and_pin_and_changes_nothing(kden, operator, browse_as):
    page = browse_as(operator).get(PIN).content.decode()

    assert "<strong>5,431</strong>" in page
    assert "5,434" in page
    assert "Pin this field" in page
    assert not Pin.objects.exists()


def test_pinning_with_a_note_makes_a_pin_and_no_changeset(kden, operator, browse_as):
    newest = Changeset.objects.first()

    response = browse_as(operator).post(PIN, {"action": "pin", "note": "surveyed"}, follow=True)

    assert response.redirect_chain == [(CHANGE, 302)]
    assert "Elevation (ft) of KDEN · Denver International Airport is pinned" in response.content.decode()
    assert (pins_of(kden)["elevation_ft"].note, pins_of(kden)["elevation_ft"].actor) == ("surveyed", operator)
    assert Changeset.objects.first() == newest


def test_without_a_note_nothing_is_pinned(kden, operator, browse_as):
    page = browse_as(operator).post(PIN, {"action": "pin", "note": " "}).content.decode()

    assert "Say why: others will read it beside the change." in page
    assert not Pin.objects.exists()


def test_unpinning_needs_no_note(kden, operator, browse_as):
    pin(kden, "elevation_ft", note="why", actor=None)

    browse_as(operator).post(PIN, {"action": "unpin"})

    assert not Pin.objects.exists()


def test_unpinning_what_somebody_unpinned_meanwhile_is_told(kden, operator, browse_as):
    page = browse_as(operator).post(PIN, {"action": "unpin"}).content.decode()

    assert "is not pinned: somebody may have unpinned it meanwhile." in page
    assert "Say why" not in page


def test_who_only_reads_sees_the_pin_and_cannot_change_it(kden, viewer, browse_as):
    pin(kden, "elevation_ft", note="surveyed", actor=None)
    client = browse_as(viewer)

    page = client.get(PIN).content.decode()

    assert "surveyed" in page
    assert "To pin a field you need" in page
    assert '<button type="submit" name="action"' not in page
    for action in ("pin", "unpin"):
        assert client.post(PIN, {"action": action, "note": "mine"}).status_code == 403
    assert Pin.objects.get().note == "surveyed"


def test_the_outsider_sees_no_pin(kden, outsider, browse_as):
    assert browse_as(outsider).get(PIN).status_code == 403


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused(kden, steward, browse_as, method):
    assert getattr(browse_as(steward), method)(PIN).status_code == 405


def test_fields_and_objects_that_are_not_there(kden, steward, browse_as):
    client = browse_as(steward)

    assert client.get("/admin/airports/airport/KDEN/pin/search_name/").status_code == 404
    assert client.get("/admin/airports/airport/KDEN/pin/nothing/").status_code == 404
    assert client.get("/admin/airports/airport/ZZZZ/pin/name/").status_code == 302
    assert client.get("/admin/base/city/999/pin/name/").status_code == 302


# -- keeping deleted -----------------------------------------------------------------------------------------


def test_the_bin_and_the_history_lead_to_keeping_it_deleted(gone, steward, browse_as):
    client = browse_as(steward)

    for address in (BIN, "/admin/airports/airport/KDEN/history/"):
        assert f'<a href="{gone}">Keep it deleted…</a>' in client.get(address).content.decode()


def test_it_is_kept_deleted_with_a_note_and_let_go_again(gone, steward, browse_as):
    client = browse_as(steward)

    page = client.post(gone, {"action": "pin", "note": "never built"}, follow=True).content.decode()

    assert "stays deleted: imports do not bring it back." in page
    assert (Pin.objects.get().object_key, Pin.objects.get().field) == ("id:3486", "")
    for address in (BIN, "/admin/airports/airport/KDEN/history/"):
        told = client.get(address).content.decode()
        assert "Kept deleted: pinned by stan" in told
        assert "never built" in told
        assert "Let imports bring it back…" in told
    client.post(gone, {"action": "unpin"})
    assert not Pin.objects.exists()


def test_who_may_not_delete_sees_what_is_kept_deleted_and_decides_nothing(gone, operator, viewer, browse_as):
    pin_deletion(Airport, "id:3486", note="never built", actor=None)

    for person in (operator, viewer):
        client = browse_as(person)
        page = client.get(BIN).content.decode()
        assert "never built" in page
        assert "keep-deleted" not in page
        assert "To decide this you need" in client.get(gone).content.decode()
        for action in ("pin", "unpin"):
            assert client.post(gone, {"action": action, "note": "x"}).status_code == 403


def test_what_is_not_in_the_bin_cannot_be_kept_deleted(gone, steward, browse_as):
    Airport.objects.create(ident="KDEN", source_id=3486, name="Back", airport_type="heliport")

    assert browse_as(steward).post(gone, {"action": "pin", "note": "x"}).status_code == 404
