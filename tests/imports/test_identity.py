"""Which airport a row is about: by its OurAirports id first, so that idents may be reassigned, swapped and chained."""

import pytest

from apps.airports.models import Airport
from apps.changesets.models import Changeset

pytestmark = pytest.mark.django_db


def idents() -> dict[int | None, str]:
    return dict(Airport.objects.values_list("source_id", "ident"))


def test_same_file_again_changes_nothing_and_leaves_no_changeset(import_file):
    import_file({}, {})
    history, changesets = Airport.history.count(), Changeset.objects.count()

    result = import_file({}, {})

    assert result["changeset"] is None
    assert (result["created"], result["updated"], result["unchanged"]) == (0, 0, 2)
    assert (Airport.history.count(), Changeset.objects.count()) == (history, changesets)


def test_changed_value_updates_one_row_and_no_other(import_file):
    import_file({}, {})

    result = import_file({}, {"name": "New Name"})

    assert (result["updated"], result["unchanged"], result["renamed"]) == (1, 1, 0)
    assert Airport.objects.get(ident="K002").search_name == "new name"
    assert Airport.history.filter(changeset=result["changeset"]).count() == 1


def test_new_ident_renames_and_carries_everything_along(import_file):
    import_file({"ident": "OLD"})
    before = Airport.objects.get(ident="OLD")

    result = import_file({"ident": "NEW"})

    assert (result["created"], result["updated"], result["renamed"], result["missing"]) == (0, 1, 1, 0)
    after = Airport.objects.get()
    assert after.ident == "NEW"
    assert (after.created_at, after.city_id, after.country_id) == (before.created_at, before.city_id, before.country_id)


def test_rename_is_recorded_as_the_same_airport(import_file):
    import_file({"ident": "OLD"})

    changeset = import_file({"ident": "NEW"})["changeset"]

    rows = Airport.history.filter(changeset=changeset).order_by("history_id")
    assert [(row.history_type, row.ident, row.source_id) for row in rows] == [("-", "OLD", 1), ("+", "NEW", 1)]


def test_two_airports_swap_idents(import_file):
    import_file({"ident": "A"}, {"ident": "B"})

    result = import_file({"ident": "B"}, {"ident": "A"})

    assert (result["renamed"], result["refused"]) == (2, 0)
    assert idents() == {1: "B", 2: "A"}


def test_a_chain_of_idents_moves_up(import_file):
    import_file({"ident": "A"}, {"ident": "B"}, {"ident": "C"})

    result = import_file({"ident": "B"}, {"ident": "C"}, {"ident": "D"}, {"ident": "A"})

    assert (result["renamed"], result["created"]) == (3, 1)
    assert idents() == {1: "B", 2: "C", 3: "D", 4: "A"}


def test_airport_made_by_hand_is_adopted_by_ident(import_file):
    Airport.objects.create(ident="KDEN", name="By hand", airport_type="small_airport")

    result = import_file({"ident": "KDEN"})

    assert (result["created"], result["updated"]) == (0, 1)
    assert Airport.objects.get().source_id == 1


def test_airport_gone_from_the_file_is_missing_and_stays(import_file):
    import_file({}, {})

    result = import_file({})

    assert (result["missing"], result["changeset"]) == (1, None)
    assert Airport.objects.count() == 2


def test_airport_made_by_hand_is_never_missing(import_file):
    Airport.objects.create(ident="HAND", name="By hand", airport_type="small_airport")

    assert import_file({})["missing"] == 0


def test_missing_airport_whose_ident_is_given_away_is_superseded_and_listed(import_file):
    import_file({"id": "5", "ident": "KDEN"})

    result = import_file({"id": "6", "ident": "KDEN"})

    assert (result["created"], result["missing"]) == (1, 1)
    assert idents() == {6: "KDEN"}
    listed = Changeset.objects.get(pk=result["changeset"]).summary["superseded"]
    assert [(each["object_id"], each["source_id"], each["new_source_id"]) for each in listed] == [("KDEN", 5, 6)]
    assert import_file({"id": "6", "ident": "KDEN"})["changeset"] is None


def test_superseded_airport_with_corrections_is_named_as_such(import_file):
    import_file({"id": "5", "ident": "KDEN"})
    Airport.objects.update(name="Corrected")

    result = import_file({"id": "6", "ident": "KDEN"})

    assert Changeset.objects.get(pk=result["changeset"]).summary["superseded"][0]["corrected"] is True


def test_ident_held_by_an_airport_whose_row_is_refused_is_refused_too(import_file):
    import_file({"ident": "A"}, {"ident": "B"})

    result = import_file({"ident": "B"}, {"ident": "C", "type": "?"})

    assert (result["refused"], result["updated"], result["missing"]) == (2, 0, 0)
    assert idents() == {1: "A", 2: "B"}


def test_refusal_travels_down_a_chain(import_file):
    import_file({"ident": "A"}, {"ident": "B"}, {"ident": "C"})

    result = import_file({"ident": "B"}, {"ident": "C"}, {"ident": "D", "type": "?"})

    assert (result["refused"], result["renamed"]) == (3, 0)


def test_ident_held_by_an_airport_made_by_hand_is_refused(import_file):
    import_file({"ident": "A"})
    Airport.objects.create(ident="B", name="By hand", airport_type="small_airport")

    result = import_file({"ident": "B"})

    assert (result["refused"], result["updated"]) == (1, 0)
    assert idents() == {1: "A", None: "B"}


def test_deleted_airport_comes_back_with_the_next_snapshot(import_file):
    import_file({}, {})
    Airport.objects.filter(ident="K001").delete()

    assert import_file({}, {})["created"] == 1
