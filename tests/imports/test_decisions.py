"""What a person decides about a kept value is merged by the SQL that merges: what follows from the value follows."""

import pytest

from apps.airports.models import Airport
from apps.base.models import City
from apps.changesets.context import changeset
from apps.changesets.recording.audit import find_drift
from apps.imports.models import Decision, ImportRun, RowKind
from apps.imports.plan.pins import pin
from apps.imports.results import ImportOptions

pytestmark = pytest.mark.django_db


def edit(ident: str, **values: object) -> None:
    with changeset(kind="edit", actor=None):
        airport = Airport.objects.get(pk=ident)
        for name, value in values.items():
            setattr(airport, name, value)
        airport.save()


def decide(run: ImportRun, decision: Decision, **which: object) -> ImportRun:
    run.rows.filter(kept=True, **which).update(decision=decision)
    return run


def test_links_and_derived_values_follow_what_is_taken(planned, confirmed_and_applied):
    confirmed_and_applied(planned({}))
    edit("K001", name="By hand", municipality="Elsewhere", airport_type="closed", active=False, city=None)

    confirmed_and_applied(decide(planned({"name": "Úp", "municipality": "Aurora", "type": "heliport"}), Decision.TAKE))

    airport = Airport.objects.get()
    assert (airport.name, airport.search_name, airport.municipality) == ("Úp", "úp", "Aurora")
    assert (airport.airport_type, airport.active, airport.city) == ("heliport", True, City.objects.get(name="Aurora"))
    assert not find_drift()[1]
    assert not planned({"name": "Úp", "municipality": "Aurora", "type": "heliport"}).counts["updated"]


def test_of_many_rows_only_those_decided_about_are_taken(planned, confirmed_and_applied):
    confirmed_and_applied(planned({"name": "A"}, {"name": "B"}, {"name": "C"}, {"name": "D"}))
    for ident in ("K001", "K002", "K003"):
        edit(ident, name="By hand")
    run = planned({"name": "A2"}, {"name": "B2"}, {"name": "C2"}, {"name": "D2"}, {"name": "E"})
    decide(run, Decision.TAKE, line=2)
    decide(run, Decision.KEEP, line=3)

    done = confirmed_and_applied(run)

    names = {"K001": "A2", "K002": "By hand", "K003": "By hand", "K004": "D2", "K005": "E"}
    assert dict(Airport.objects.values_list("pk", "name")) == names
    assert (done.changeset.summary["counts"]["kept"], done.counts["kept"]) == (2, 3)


def test_what_is_taken_may_be_renamed(planned, confirmed_and_applied):
    confirmed_and_applied(planned({"ident": "AAAA", "name": "A"}, {"ident": "BBBB", "name": "B"}))
    edit("AAAA", name="By hand")

    confirmed_and_applied(
        decide(planned({"ident": "BBBB", "name": "A2"}, {"ident": "AAAA", "name": "B2"}), Decision.TAKE)
    )

    assert dict(Airport.objects.values_list("pk", "name")) == {"BBBB": "A2", "AAAA": "B2"}


@pytest.mark.parametrize("corrections", [False, True])
def test_a_pinned_value_can_be_taken_too_and_its_pinned_link_stays(planned, confirmed_and_applied, corrections):
    confirmed_and_applied(planned({"municipality": "Denver"}))
    airport = Airport.objects.get()
    for field in ("municipality", "city"):
        pin(airport, field, note="as signed", actor=None)
    run = planned({"municipality": "Aurora"}, options=ImportOptions(corrections=corrections))
    assert run.rows.get().kept_values["municipality"][1:] == ["Aurora", "Denver"]

    confirmed_and_applied(decide(run, Decision.TAKE))

    airport.refresh_from_db()
    assert (airport.municipality, airport.city.name) == ("Aurora", "Denver")


def test_what_moved_since_is_not_taken(planned, confirmed_and_applied):
    confirmed_and_applied(planned({"name": "A"}))
    edit("K001", name="By hand")
    run = decide(planned({"name": "A2"}), Decision.TAKE)
    edit("K001", elevation_ft=7)

    confirmed_and_applied(run)

    assert Airport.objects.get().name == "By hand"
    assert run.rows.get().left_alone == "somebody changed it after the plan was made"


def test_a_sparse_file_is_taken_as_it_is(planned, confirmed_and_applied):
    confirmed_and_applied(planned({"name": "A", "elevation_ft": "5"}))
    edit("K001", name="By hand", elevation_ft=6)

    run = planned({"name": "A2", "elevation_ft": ""}, options=ImportOptions(blank="keep"))
    confirmed_and_applied(decide(run, Decision.TAKE))

    assert (Airport.objects.get().name, Airport.objects.get().elevation_ft) == ("A2", 6)
    assert run.rows.get().kind == RowKind.CHANGED
