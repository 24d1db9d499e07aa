"""Imports of models whose keys are UUIDs or automatic: text keys that stay, links by code, days, upstream's values."""

import pytest

from apps.changesets.models import Changeset
from apps.changesets.revert import plan_revert, revert
from apps.imports.export.formats import FORMATS, Csv
from apps.imports.export.tables import resource_of
from apps.imports.plan.apply import apply_import
from apps.imports.plan.plan import plan_import
from apps.imports.reading.sources import from_path
from apps.imports.registry import spec_for
from apps.imports.results import ImportOptions
from tests.second_domain.conftest import row
from tests.second_domain.models import Operator, Station

pytestmark = pytest.mark.django_db


def everything(model: type) -> list[dict]:
    return list(model._base_manager.order_by("pk").values())


def test_objects_whose_keys_python_makes_are_created_and_found_by_their_code(load):
    created = load({"code": "SBB", "name": "Swiss"}, {"code": "DB", "name": "German"}, model=Operator, corrections=True)
    keys = dict(Operator.objects.values_list("code", "pk"))
    changed = load({"code": "DB", "name": "Deutsche Bahn"}, model=Operator, corrections=True)

    assert created.counts == {"second_domain.operator": {"created": 2}}
    assert len(set(keys.values())) == 2
    assert changed.counts == {"second_domain.operator": {"changed": 1}}
    assert dict(Operator.objects.values_list("code", "pk")) == keys


def test_an_object_is_found_by_its_uuid_and_a_foreign_one_is_refused(world, plan):
    own, foreign = str(world["SBB"].pk), "12345678-1234-5678-1234-567812345678"
    rows = [{"id": key, "code": code, "name": "Named"} for key, code in ((own, "CFF"), (foreign, "X"), ("no id", "Y"))]
    made = plan(*rows, model=Operator, corrections=True)

    changeset = apply_import(made, actor=None)

    assert [(refusal.line, refusal.rule) for refusal in made.refusals] == [(3, "unknown_object"), (4, "unknown")]
    assert changeset.counts == {"second_domain.operator": {"changed": 1}}
    assert Operator.objects.get(pk=world["SBB"].pk).code == "CFF"


def test_a_code_that_another_operator_has_is_refused_with_its_name(world, plan):
    made = plan({"id": str(world["SBB"].pk), "code": "DB", "name": "Swiss"}, model=Operator, corrections=True)

    (refusal,) = made.refusals

    assert (refusal.rule, refusal.hint.partition(" (id")[0]) == ("taken", "Deutsche Bahn (DB)")


def test_a_snapshot_creates_changes_and_renames_by_the_text_key_that_stays(world, load):
    ulm = world["UL"].pk
    made = load(
        row("85-1", "BN", "Bern", platforms="12"),
        row("85-2", "BAS", "Basel SBB", opened="1854-12-19"),
        row("80-1", "UL", "Ulm Hbf", "DB", platforms="8"),
        row("80-2", "AH", "Aulendorf", "DB", opened="1847-05-26"),
    )

    assert made.counts == {"second_domain.station": {"created": 1, "changed": 3}}
    assert Station.objects.get(number="80-1").pk == ulm
    assert Station.objects.get(number="85-2").code == "BAS"
    assert str(Station.objects.get(code="AH").opened) == "1847-05-26"
    assert Station.objects.get(code="AH").operator == world["DB"]


def test_the_same_file_again_changes_nothing(world, load):
    rows = [row("85-1", "BN", "Bern", opened="1860-05-01"), row("85-9", "ZH", "Zürich", platforms="26")]
    load(*rows)
    before = Station.history.count()

    again = load(*rows)

    assert again is None
    assert Station.history.count() == before


def test_corrections_stand_against_upstream_and_end_when_it_catches_up(world, load, plan):
    load(row("85-1", "BN", "Bern", "SBB", opened="1860-05-01", platforms="12"))
    Station.objects.filter(number="85-1").update(operator=world["DB"], opened="1860-01-01", platforms=13)

    made = plan(row("85-1", "BN", "Bern HB", "SBB", opened="1861-05-01", platforms="14"))
    kept = {value.field: (value.base, value.new, value.current) for value in made.kept}
    apply_import(made, actor=None)
    bern = Station.objects.get(number="85-1")

    assert kept == {"opened": ("1860-05-01", "1861-05-01", "1860-01-01"), "platforms": (12, 14, 13)}
    assert (bern.name, bern.operator, str(bern.opened), bern.platforms) == ("Bern HB", world["DB"], "1860-01-01", 13)
    assert bern.upstream["operator"] == "SBB"

    load(row("85-1", "BN", "Bern HB", "DB", opened="1860-01-01", platforms="13"))
    load(row("85-1", "BN", "Bern HB", "SBB", opened="1870-01-01", platforms="20"))
    bern.refresh_from_db()

    assert (bern.operator, str(bern.opened), bern.platforms) == (world["SBB"], "1870-01-01", 20)


def test_a_link_that_both_changed_is_kept(world, load, plan):
    Operator.objects.create(code="BLS", name="BLS")
    load(row("85-1", "BN", "Bern", "SBB"))
    Station.objects.filter(number="85-1").update(operator=world["DB"])

    made = plan(row("85-1", "BN", "Bern", "BLS"))

    assert [value.field for value in made.kept] == ["operator"]
    assert apply_import(made, actor=None).counts == {"second_domain.station": {"changed": 1}}
    assert Station.objects.get(number="85-1").operator == world["DB"]


def test_refused_rows_are_not_missing_and_missing_ones_go_when_asked(world, plan):
    made = plan(
        row("85-1", "BN", "Bern", platforms="many"),
        row("80-1", "UL", "Ulm", "DB"),
        missing="deactivate",
    )

    apply_import(made, actor=None)

    assert made.counts.missing == 1
    assert list(Station.objects.filter(active=False).values_list("code", flat=True)) == ["BS"]


@pytest.mark.parametrize(
    ("cells", "rule"),
    [
        ({"opened": "1.5.1860"}, "unknown"),
        ({"operator": "OBB"}, "unknown"),
        ({"platforms": "-1"}, "out_of_range"),
        ({"code": "far too long for it"}, "too_long"),
        ({"register number": ""}, "required"),
        ({"register number": "x" * 40}, "too_long"),
    ],
)
def test_what_a_field_does_not_take_is_refused(world, plan, cells, rule):
    made = plan({**row("85-7", "ZZ", "Nowhere"), **cells})

    assert [refusal.rule for refusal in made.refusals] == [rule]
    assert made.counts.created == 0


def test_codes_that_swap_are_refused_and_nothing_breaks(world, plan):
    made = plan(row("85-1", "BS", "Bern"), row("85-2", "BN", "Basel"))

    assert {refusal.rule for refusal in made.refusals} == {"taken"}
    assert apply_import(made, actor=None) is None


def test_a_name_taken_among_those_that_meet_the_condition_is_refused(world, plan):
    made = plan(row("85-1", "BN", "Bern"), row("85-8", "BN2", "Bern"), row("85-9", "TH", "Thun"))

    (refusal,) = made.refusals
    assert (refusal.line, refusal.rule) == (3, "taken")
    assert refusal.hint == f"Bern (id {world['BN'].pk}) has this operator and name already"
    assert set(apply_import(made, actor=None).counts["second_domain.station"]) >= {"created"}


def test_a_name_is_free_where_the_condition_is_not_met(world, load):
    made = load(row("85-8", "BN2", "Bern", active="false"), row("80-2", "BN3", "Bern", "DB"))

    assert made.counts == {"second_domain.station": {"created": 2}}


def test_a_name_that_comes_to_meet_the_condition_twice_is_refused(world, plan):
    Station.objects.create(number="85-8", code="BN2", name="Bern", operator=world["SBB"], active=False)

    taken = plan(row("85-8", "BN2", "Bern"))
    twice = plan(row("85-3", "T1", "Thun"), row("85-4", "T2", "Thun"), row("85-5", "T3", "Thun", active="false"))

    assert [(refusal.line, refusal.rule) for refusal in taken.refusals] == [(2, "taken")]
    assert [(refusal.line, refusal.rule) for refusal in twice.refusals] == [(2, "twice_in_file"), (3, "twice_in_file")]


def test_the_default_counts_where_no_column_says_whether_the_condition_is_met(world, plan):
    made = plan({"register number": "85-8", "code": "BN2", "name": "Bern", "operator": "SBB"})

    assert [refusal.rule for refusal in made.refusals] == ["taken"]


def test_an_import_is_reverted_imported_again_and_redone(world, load):
    before, rows = everything(Station), [row("85-1", "BN1", "Bern HB"), row("85-9", "ZH", "Zürich")]
    made = load(*rows)
    after = everything(Station)

    undone = revert(plan_revert([made]), actor=None, reason="wrong file")
    assert everything(Station) == before
    revert(plan_revert([undone]), actor=None, reason="it was right")
    assert everything(Station) == after
    assert load(*rows) is None


@pytest.mark.parametrize("model", [Operator, Station])
@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_back_what_was_exported(world, tmp_path, model, form):
    path, changesets = tmp_path / f"rows.{form().get_extension()}", Changeset.objects.count()
    with path.open("wb") as out:
        form().write(resource_of(model)().table(model.objects.all()), out)
    plan = plan_import(from_path(path), spec=spec_for(model), options=ImportOptions(corrections=True))

    assert plan.refusals == ()
    assert apply_import(plan, actor=None) is None
    assert Changeset.objects.count() == changesets


def test_cells_that_were_edited_are_all_that_changes(world, tmp_path):
    path = tmp_path / "rows.csv"
    with path.open("wb") as out:
        Csv().write(resource_of(Station)().table(Station.objects.all()), out)
    path.write_text(path.read_text().replace("1854-12-19", "1854-12-20").replace(",UL,", ",ULM,"))

    made = apply_import(
        plan_import(from_path(path), spec=spec_for(Station), options=ImportOptions(corrections=True)), actor=None
    )

    assert made.counts == {"second_domain.station": {"changed": 2}}
    assert made.field_counts["second_domain.station"] == {"opened": 1, "code": 1}
