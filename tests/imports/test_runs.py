"""Runs: what is stored is what is applied, and what moved since is named and left alone."""

from dataclasses import replace

import pytest
from django.core.management import call_command

from apps.airports.columns import OURAIRPORTS
from apps.airports.models import Airport
from apps.changesets.context import changeset
from apps.changesets.models import Changeset
from apps.changesets.recording.audit import find_drift
from apps.imports.errors import RunRefused
from apps.imports.models import Decision, ImportRun, RowKind, RunStatus
from apps.imports.plan.pins import pin, pin_deletion
from apps.imports.reading.sources import from_path
from apps.imports.results import ImportOptions
from apps.imports.runs.engine import apply_run, plan_run
from apps.imports.runs.opening import open_run, set_options
from tests.imports.files import csv_text

pytestmark = pytest.mark.django_db


@pytest.fixture
def planned(airports_file):
    """Return a function that opens and plans a run over the rows given."""

    def plan(*rows: dict[str, str], options: ImportOptions | None = None, **file: object) -> ImportRun:
        source = from_path(airports_file(*rows, **file))
        run = open_run(source, spec=OURAIRPORTS, options=options or ImportOptions(), actor=None, reason="a test")
        plan_run(run)
        run.refresh_from_db()
        return run

    return plan


@pytest.fixture
def call_revert():
    """Return a function that reverts a changeset as the command does."""
    return lambda made: call_command("rollback_airports", changeset=made.pk, yes=True, verbosity=0)


def confirm(run: ImportRun) -> ImportRun:
    ImportRun.objects.filter(pk=run.pk).update(status=RunStatus.APPROVED)
    return run


def apply(run: ImportRun) -> Changeset | None:
    made = apply_run(confirm(run))
    run.refresh_from_db()
    return made


def edit(ident: str, **values: object) -> None:
    with changeset(kind="edit", actor=None):
        airport = Airport.objects.get(pk=ident)
        for name, value in values.items():
            setattr(airport, name, value)
        airport.save()


def operations(run: ImportRun) -> list[str]:
    return list(run.rows.order_by("line").values_list("kind", flat=True))


def test_planning_writes_nothing_but_the_plan(planned):
    run = planned({}, {"latitude_deg": "91"})

    assert run.status == RunStatus.PLANNED
    assert operations(run) == [RowKind.NEW, RowKind.REFUSED]
    assert [(c.line, c.column, c.rule) for c in run.refused_cells.all()] == [(3, "latitude_deg", "out_of_range")]
    assert (Airport.objects.count(), Airport.history.count(), Changeset.objects.count()) == (0, 0, 0)


def test_what_is_stored_is_applied_as_an_import_at_once_would(planned, import_file):
    rows = (
        {"municipality": "Ørebro", "name": "Two  spaces"},
        {"elevation_ft": "", "iata_code": ""},
        {"type": "closed"},
    )
    made = apply(planned(*rows))
    by_run = list(Airport.objects.order_by("pk").values())

    Airport.objects.all().delete()
    import_file(*rows)

    at_once = list(Airport.objects.order_by("pk").values())
    for row in by_run + at_once:
        row.pop("created_at"), row.pop("updated_at")
    assert by_run == at_once
    assert made.summary["counts"]["created"] == 3


def test_importing_the_same_file_again_changes_nothing(planned):
    apply(planned({}, {}))

    run = planned({}, {})

    assert operations(run) == [RowKind.UNCHANGED, RowKind.UNCHANGED]
    assert apply(run) is None
    assert (run.status, run.changeset) == (RunStatus.APPLIED, None)
    assert Changeset.objects.count() == 1


def test_a_changed_row_shows_old_and_new(planned):
    apply(planned({"name": "Old"}))

    run = planned({"name": "New", "latitude_deg": "39.8616981506351"})

    row = run.rows.get()
    assert row.changes == {"name": ["Old", "New"], "latitude_deg": [39.861698150635, 39.8616981506351]}
    assert apply(run).counts == {"airports.airport": {"changed": 1}}
    assert Airport.objects.get().latitude_deg == 39.8616981506351


def test_a_row_that_moved_after_the_plan_is_left_alone_and_named(planned):
    apply(planned({"name": "A"}, {"name": "B"}))
    run = planned({"name": "A2"}, {"name": "B2"})
    edit("K001", municipality="Elsewhere")

    apply(run)

    assert dict(Airport.objects.values_list("pk", "name")) == {"K001": "A", "K002": "B2"}
    assert run.counts["left_alone"] == 1
    assert "changed it after" in run.rows.get(old_pk="K001").left_alone
    assert not find_drift()[1]


def test_what_a_moved_row_holds_up_is_left_alone_with_it(planned):
    apply(planned({"ident": "AAAA"}, {"ident": "BBBB"}))
    run = planned({"ident": "BBBB"}, {"ident": "CCCC"})
    edit("BBBB", name="Edited meanwhile")

    apply(run)

    assert dict(Airport.objects.values_list("source_id", "ident")) == {1: "AAAA", 2: "BBBB"}
    assert run.counts["left_alone"] == 2


def test_idents_swap_through_a_stored_plan(planned):
    apply(planned({"ident": "AAAA"}, {"ident": "BBBB"}))

    run = planned({"ident": "BBBB"}, {"ident": "AAAA"})
    apply(run)

    assert dict(Airport.objects.values_list("source_id", "ident")) == {1: "BBBB", 2: "AAAA"}
    assert run.rows.filter(renamed=True).count() == 2


def test_an_object_made_meanwhile_under_a_new_key_is_not_overwritten(planned):
    run = planned({"name": "From the file"})
    with changeset(kind="edit", actor=None):
        Airport.objects.create(ident="K001", name="By hand", airport_type="closed")

    apply(run)

    assert Airport.objects.get().name == "By hand"
    assert run.rows.get().left_alone


def test_an_object_made_meanwhile_under_another_ident_is_not_made_twice(planned):
    run = planned({}, {})
    Airport.objects.create(ident="MINE", source_id=1, name="Mine", airport_type="closed")

    apply(run)

    assert run.rows.get(new_pk="K001").left_alone == "somebody made an object with this key after the plan was made"
    assert sorted(Airport.objects.values_list("pk", "source_id")) == [("K002", 2), ("MINE", 1)]


def test_a_correction_is_kept_and_listed_with_the_three_values(planned):
    apply(planned({"name": "Upstream 1"}))
    edit("K001", name="By hand")

    run = planned({"name": "Upstream 2", "elevation_ft": "7"})

    row = run.rows.get()
    assert row.kept_values == {"name": ["Upstream 1", "Upstream 2", "By hand"]}
    apply(run)
    assert (Airport.objects.get().name, Airport.objects.get().elevation_ft) == ("By hand", 7)


def test_a_person_can_take_the_files_value_of_one_kept_row(planned):
    apply(planned({"name": "Upstream 1"}))
    edit("K001", name="By hand")
    run = planned({"name": "Upstream 2"})
    run.rows.update(decision=Decision.TAKE)

    apply(run)

    airport = Airport.objects.get()
    assert (airport.name, airport.search_name) == ("Upstream 2", "upstream 2")
    assert not planned({"name": "Upstream 2"}).rows.filter(kind=RowKind.CHANGED).exists()


def test_a_row_that_a_person_leaves_alone_is_not_written(planned):
    run = planned({}, {})
    run.rows.filter(line=2).update(decision=Decision.LEAVE)

    apply(run)

    assert list(Airport.objects.values_list("pk", flat=True)) == ["K002"]


def test_a_missing_object_is_planned_and_deleted_only_when_asked(planned):
    apply(planned({}, {}))

    assert planned({}).rows.filter(kind=RowKind.MISSING).count() == 1
    apply(planned({}))
    assert Airport.objects.count() == 2
    apply(planned({}, options=ImportOptions(missing="delete")))
    assert list(Airport.objects.values_list("pk", flat=True)) == ["K001"]


def test_a_run_is_taken_up_by_one_worker_only(planned):
    run = confirm(planned({}))
    apply_run(run)

    with pytest.raises(RunRefused):
        apply_run(run)
    with pytest.raises(RunRefused):
        plan_run(run)


def test_a_run_is_not_planned_again_by_who_may_not_decide_about_it(planned, make_person):
    run = planned({})

    with pytest.raises(RunRefused, match="permission to import airports"):
        set_options(run, ImportOptions(missing="delete"), actor=make_person("vera", group="viewer"))

    assert ImportRun.objects.get().status == RunStatus.PLANNED


def test_a_file_that_turns_out_damaged_fails_the_run_with_a_sentence(planned):
    rows = csv_text(*({} for _ in range(5000)))
    run = planned(raw=rows + '1,"K' + "x" * 200_000)

    assert run.status == RunStatus.FAILED
    assert "line 5002" in run.error
    assert run.error.endswith("Nothing was written.")
    assert not run.rows.exists()


def test_a_column_that_was_not_chosen_names_its_object_and_changes_nothing(planned):
    apply(planned({"ident": "AAAA", "name": "Old", "elevation_ft": "1"}))

    options = ImportOptions(columns=frozenset({"elevation_ft"}))
    apply(planned({"ident": "BBBB", "name": "New", "elevation_ft": "2"}, options=options))

    airport = Airport.objects.get()
    assert (airport.ident, airport.name, airport.elevation_ft) == ("AAAA", "Old", 2)


@pytest.mark.parametrize(("blank", "expected"), [("keep", 5431), ("clear", None)])
@pytest.mark.parametrize("corrections", [True, False])
def test_a_blank_cell_keeps_the_value_or_clears_it_as_asked(planned, blank, expected, corrections):
    apply(planned({"elevation_ft": "5431"}))

    options = ImportOptions(blank=blank, corrections=corrections)
    apply(planned({"elevation_ft": ""}, options=options))

    assert Airport.objects.get().elevation_ft == expected
    assert not planned({"elevation_ft": ""}, options=options).rows.filter(kind=RowKind.CHANGED).exists()


def test_what_a_person_deleted_comes_back_and_is_listed(planned):
    apply(planned({}, {}))
    with changeset(kind="delete", actor=None):
        Airport.objects.filter(pk="K002").delete()

    run = planned({}, {})

    assert run.counts["deleted_here"] == 1
    assert run.rows.get(deleted_here=True).new_pk == "K002"
    apply(run)
    assert Airport.objects.count() == 2


def test_what_a_revert_deleted_is_no_deletion_of_a_person(planned, call_revert):
    call_revert(apply(planned({})))

    assert planned({}).counts["deleted_here"] == 0


def test_a_pinned_deletion_stays(planned):
    apply(planned({}, {}))
    with changeset(kind="delete", actor=None):
        Airport.objects.filter(pk="K002").delete()
    pin_deletion(Airport, "id:2", note="demolished", actor=None)

    run = planned({}, {})

    assert (run.counts["created"], run.counts["skipped"], run.counts["missing"]) == (0, 1, 0)
    assert "stay deleted" in run.rows.get(deleted_here=True).left_alone


def test_a_pinned_field_is_kept_even_where_nothing_says_what_upstream_said(planned):
    with changeset(kind="edit", actor=None):
        airport = Airport.objects.create(ident="K001", name="By hand", airport_type="closed")
    pin(airport, "name", note="as signed", actor=None)

    run = planned({"name": "From the file"})
    apply(run)

    assert run.rows.get().kept_values == {"name": [None, "From the file", "By hand"]}
    assert (Airport.objects.get().name, Airport.objects.get().source_id) == ("By hand", 1)


def test_too_many_missing_objects_are_not_deleted_unless_the_limit_is_raised(planned):
    apply(planned(*({} for _ in range(150))))
    options = ImportOptions(missing="delete")

    run = planned({}, options=options)

    assert "lacks 149 of 150 airports" in run.summary["missing_above_limit"]
    assert planned({}, options=replace(options, missing_limit=100)).summary["missing_above_limit"] == ""


def test_a_pin_made_after_the_plan_holds(planned):
    apply(planned({"name": "A"}, {"name": "B"}))
    run = planned({"name": "A2"}, {"name": "B2"})
    pin(Airport.objects.get(pk="K001"), "name", note="as signed", actor=None)

    apply(run)

    assert dict(Airport.objects.values_list("pk", "name")) == {"K001": "A", "K002": "B2"}
    assert "pinned" in run.rows.get(old_pk="K001").left_alone


def test_a_pin_follows_its_object_once_an_import_has_given_it_a_stable_key(planned):
    with changeset(kind="edit", actor=None):
        airport = Airport.objects.create(ident="K001", name="By hand", airport_type="closed")
    pin(airport, "name", note="as signed", actor=None)
    apply(planned({"name": "From the file"}))

    apply(planned({"ident": "K999", "name": "From the file, renamed"}))

    assert dict(Airport.objects.values_list("pk", "name")) == {"K999": "By hand"}


def test_progress_tells_how_many_objects_are_written(planned):
    run, told = confirm(planned({}, {}, {})), []

    apply_run(run, progress=lambda phase, rows: told.append((phase, rows)))

    assert ("write", 3) in told


def test_what_a_pin_holds_against_corrections_is_listed_and_nothing_is_written(planned):
    apply(planned({"name": "Upstream"}))
    pin(Airport.objects.get(), "name", note="as signed", actor=None)

    run = planned({"name": "From a colleague"}, options=ImportOptions(corrections=True))

    assert run.rows.get().kept_values["name"][1:] == ["From a colleague", "Upstream"]
    assert apply(run) is None
    assert Airport.objects.get().name == "Upstream"
