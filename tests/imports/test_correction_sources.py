"""Files of others do not freeze our values unseen: the plan counts them, and a source can end."""

import pytest
from django.core.cache import cache, caches
from django.core.management import call_command

from apps.airports.models import Airport
from apps.changesets.bulk.apply import apply_bulk, plan_bulk
from apps.changesets.context import changeset
from apps.changesets.history.origins import origins_of
from apps.changesets.models import Changeset
from apps.changesets.pages.bulk_act import BulkAct, Door
from apps.changesets.pages.bulk_registry import BulkAction
from apps.changesets.revert import plan_revert, revert
from apps.imports.plan.correction_sources import ending, pairs_of_source, sources_of
from apps.imports.plan.corrections import corrections_of
from apps.imports.plan.pins import pin

pytestmark = pytest.mark.django_db
BY_HAND = ("--source", "corrections")
AIP = (*BY_HAND, "--from", "National AIP")


@pytest.fixture(autouse=True)
def nothing_remembered():
    cache.clear()
    caches["figures"].clear()


@pytest.fixture
def corrected(import_file) -> None:
    """Two airports of upstream, each with two values that the AIP says are wrong."""
    import_file({}, {"name": "Second"})
    columns = ["ident", "name", "elevation_ft"]
    rows = [{"name": "Denver Intl", "elevation_ft": "5433"}, {"name": "Two", "elevation_ft": "12"}]
    import_file(*rows, columns=columns, options=AIP)


def sources() -> dict:
    return sources_of(corrections_of(Airport))


def test_a_plan_counts_the_values_that_will_stand_against_upstream(import_file):
    import_file({}, {})
    rows = [{"name": "Another", "elevation_ft": "5433", "municipality": "Denver"}, {"elevation_ft": "5431"}]

    done = import_file(
        *rows, columns=["ident", "name", "elevation_ft", "municipality"], options=(*BY_HAND, "--dry-run")
    )

    assert (done["updated"], done["corrections"]) == (1, 2)


def test_a_value_that_goes_back_to_upstream_is_no_correction(import_file, corrected):
    done = import_file({"name": "Denver International Airport"}, columns=["ident", "name"], options=AIP)

    assert (done["updated"], done["corrections"]) == (1, 0)


def test_a_snapshot_makes_no_corrections(import_file):
    assert import_file({}, {})["corrections"] == 0


def test_the_source_is_kept_on_the_changeset_and_stands_beside_the_value(corrected):
    assert Changeset.objects.first().source_title == "National AIP"
    assert origins_of(Airport.objects.get(pk="K001"))["name"].words == "values of National AIP"


def test_without_a_title_the_source_is_the_file(import_file):
    import_file({})
    import_file({"name": "Other"}, columns=["ident", "name"], options=BY_HAND)

    assert sources() == {("K001", "name"): "airports-2.csv"}


def test_corrections_are_told_by_source(corrected):
    assert set(sources().items()) == {
        ((ident, field), "National AIP") for ident in ("K001", "K002") for field in ("name", "elevation_ft")
    }


def test_a_value_that_somebody_changed_since_is_theirs(corrected, steward):
    with changeset(kind="edit", actor=steward):
        Airport.objects.filter(pk="K001").update(name="By Stan")

    assert ("K001", "name") not in sources()
    assert sources()["K001", "elevation_ft"] == "National AIP"


def test_a_source_is_found_under_the_key_that_an_airport_has_by_now(import_file, corrected):
    import_file({"ident": "K009"}, {"name": "Second"})

    assert sources()["K009", "name"] == "National AIP"


def end(field: str = "", *, actor=None):
    keys = {pk for pk, _field in pairs_of_source(Airport, "National AIP", field)[1]}
    objects, work = Airport.objects.filter(pk__in=keys), ending("National AIP", field)
    seen = plan_bulk(work, objects).seen
    return apply_bulk(work, objects, actor=actor, reason="upstream is right", seen=seen)


def test_ending_a_source_brings_upstreams_values_back_as_one_changeset(corrected):
    done = end()

    assert done.changeset.counts == {"airports.airport": {"changed": 2}}
    assert list(Airport.objects.order_by("pk").values_list("name", "search_name", "elevation_ft")) == [
        ("Denver International Airport", "denver international airport", 5431),
        ("Second", "second", 5431),
    ]
    assert sources() == {}


def test_a_second_person_is_asked_for_objects_and_not_for_their_values(corrected, rf):
    objects = Airport.objects.all()
    act = BulkAct(None, rf.get("/"), BulkAction("end", "End", "End", "", ending("National AIP")), objects, Door("", ""))

    assert len(pairs_of_source(Airport, "National AIP")[1]) > 2
    assert act.size(act.plan()) == 2


def test_ending_a_source_can_be_undone(corrected):
    done = end()

    revert(plan_revert([done.changeset]), actor=None)

    assert Airport.objects.get(pk="K001").name == "Denver Intl"


def test_one_field_of_a_source_can_end_and_pinned_values_stay(corrected, steward):
    pin(Airport.objects.get(pk="K001"), "elevation_ft", note="as signed", actor=steward)

    done = end("elevation_ft")

    assert [(line.sign, line.number) for line in done.plan.lines] == [("changed", 1), ("kept", 1)]
    assert list(Airport.objects.order_by("pk").values_list("name", "elevation_ft")) == [
        ("Denver Intl", 5433),
        ("Two", 5431),
    ]


def test_a_dry_run_says_it_to_people(import_file, airports_file, capsys):
    import_file({})
    path = airports_file({"name": "Other"}, columns=["ident", "name"])

    call_command("import_airports", "--file", str(path), "--dry-run", *AIP)

    assert "1 value becomes a correction of National AIP" in capsys.readouterr().out
