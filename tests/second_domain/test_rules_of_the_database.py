"""Values from before a rule: revert, restore, going back and bulk actions say which rule blocks which row."""

from collections.abc import Callable

import pytest
from django.db import models
from django.db.models import Q

from apps.changesets.bulk.apply import apply_bulk, plan_bulk
from apps.changesets.bulk.setting import SET_ACTIVE, setting
from apps.changesets.context import changeset
from apps.changesets.errors import BulkRefused, NothingToRestore, RevertConflict
from apps.changesets.history.recycle_bin import deleted_objects
from apps.changesets.models import Changeset
from apps.changesets.recording.audit import find_drift
from apps.changesets.revert import carry_out, plan_revert, revert
from apps.changesets.revert.bring_back import plan_restore, restore_deleted
from apps.changesets.revert.go_back import go_back, plan_version
from apps.changesets.revert.verdicts import Scope
from apps.changesets.tracking import tracked_for
from tests.admin.bulk import act
from tests.second_domain.models import Station
from tests.second_domain.schemas import schemas  # noqa: F401

STATIONS = tracked_for(Station)
FEW = models.CheckConstraint(condition=Q(platforms__lt=20), name="few_platforms")
LEFT_OUT = "left out: blocked by active_station_name"
ADDED = (
    'migrations.AddConstraint("station", models.CheckConstraint(condition=Q(platforms__lt=20), name="few_platforms"))'
)


@pytest.fixture
def narrowed(world: dict) -> Changeset:
    """Three stations lose platforms; before, one had more than the rule that comes later allows."""
    Station.objects.filter(code="BN").update(platforms=30)
    with changeset(kind="edit", actor=None, reason="narrowed") as made:
        Station.objects.update(platforms=5)
    return made


@pytest.fixture
def rule(narrowed: Changeset, schemas: Callable) -> None:  # noqa: F811
    """The database has the rule, and the model does not know it."""
    schemas(ADDED)("0002")


def platforms() -> dict[str, int | None]:
    return dict(Station.objects.order_by("code").values_list("code", "platforms"))


@pytest.mark.django_db
def test_a_plan_knows_the_checks_of_the_model(narrowed, monkeypatch):
    monkeypatch.setattr(Station._meta, "constraints", [*Station._meta.constraints, FEW])

    plan = plan_revert([narrowed])
    revert(plan, actor=None)

    assert plan.counts == {"restored": 2, "blocked": 1}
    assert [verdict.sentence for verdict in plan.verdicts if verdict.bucket == "blocked"] == [
        "blocked by few_platforms"
    ]
    assert platforms() == {"BN": 5, "BS": None, "UL": 8}


@pytest.mark.django_db
def test_a_plan_knows_the_columns_that_became_required(world, monkeypatch):
    with changeset(kind="edit", actor=None, reason="opened") as made:
        Station.objects.update(opened="1900-01-01")
    monkeypatch.setattr(Station._meta.get_field("opened"), "null", False)

    plan = plan_revert([made])

    assert plan.counts == {"restored": 1, "blocked": 2}
    assert {verdict.why for verdict in plan.verdicts if verdict.bucket == "blocked"} == {
        "blocked by the rule that opened must have a value"
    }


@pytest.mark.django_db(transaction=True)
def test_a_revert_leaves_out_the_rows_that_the_database_refuses(narrowed, rule):
    made, done = carry_out([narrowed], scope=Scope(), on_conflict="keep", actor=None)

    assert done.counts == {"restored": 2, "blocked": 1}
    assert [v["why"] for v in made.summary["left_alone"]] == ["blocked by few_platforms"]
    assert platforms() == {"BN": 5, "BS": None, "UL": 8}
    narrowed.refresh_from_db()
    assert narrowed.status == "partly_reverted"
    assert find_drift()[1] == []


@pytest.mark.django_db(transaction=True)
def test_a_revert_that_is_to_abort_does_so_when_the_database_refuses_a_row(narrowed, rule):
    with pytest.raises(RevertConflict, match="blocked by few_platforms"):
        carry_out([narrowed], scope=Scope(), on_conflict="abort", actor=None)

    assert set(platforms().values()) == {5}


@pytest.mark.django_db(transaction=True)
def test_bringing_back_leaves_out_the_rows_that_the_database_refuses(world, schemas):  # noqa: F811
    Station.objects.filter(code="BN").update(platforms=30)
    Station.objects.all().delete()
    schemas(ADDED)("0002")
    picked = {STATIONS.label: [row.history_id for row in deleted_objects(STATIONS)]}

    assert plan_restore(picked).coming == 3
    made = restore_deleted(picked, actor=None, reason="back")

    assert platforms() == {"BS": None, "UL": 8}
    assert made.summary["restore"]["blocked"] == 1
    assert [left["why"][0]["why"] for left in made.summary["left_alone"]] == ["blocked by few_platforms"]
    with pytest.raises(NothingToRestore, match="Nothing was restored: blocked by few_platforms"):
        restore_deleted({STATIONS.label: [deleted_objects(STATIONS).get(code="BN").history_id]}, actor=None, reason="")


@pytest.mark.django_db(transaction=True)
def test_going_back_says_what_the_database_refuses(narrowed, rule):
    version = Station.objects.get(code="BN").history.filter(platforms=30).get()
    assert plan_version(STATIONS, version).obstacles == ()

    with pytest.raises(NothingToRestore, match="blocked by few_platforms"):
        go_back(STATIONS, version, fields=["platforms"], actor=None, reason="", seen=None)


@pytest.mark.django_db
def test_a_bulk_action_leaves_out_the_rows_that_would_break_a_rule(world):
    Station.objects.update(active=False)
    Station.objects.create(code="B2", name="Bern", operator=world["SBB"])
    Station.objects.create(code="B3", name="Basel", operator=world["SBB"], active=False)

    done = apply_bulk(SET_ACTIVE, Station.objects.all(), actor=None, reason="all")

    assert dict(Station.objects.values_list("code", "active")) == {
        "BN": False, "BS": True, "UL": True, "B2": True, "B3": False
    }  # fmt: skip
    assert [(listed.number, set(listed.names)) for listed in done.plan.listed] == [(2, {"Bern", "Basel"})]
    assert done.plan.done == "2 stations set active; 2 left out: blocked by active_station_name."
    assert done.changeset.summary["bulk"]["left"][1:] == [["blocked", 2, LEFT_OUT]]
    assert find_drift()[1] == []


@pytest.mark.django_db
def test_a_bulk_action_of_nothing_but_rows_that_would_break_a_rule_is_refused(world):
    again = Station.objects.create(code="B2", name="Bern", operator=world["SBB"], active=False)

    with pytest.raises(BulkRefused, match=r"Blocked by active_station_name: 1 station would break that rule"):
        apply_bulk(SET_ACTIVE, Station.objects.filter(pk=again.pk), actor=None, reason="all")


@pytest.mark.django_db
def test_a_bulk_action_says_before_it_is_confirmed_what_it_leaves_out(world, steward, browse_as):
    Station.objects.update(active=False)
    Station.objects.create(code="B2", name="Bern", operator=world["SBB"])
    keys = list(Station.objects.values_list("pk", flat=True))

    page = act(browse_as(steward), "/admin/second_domain/station/", "set_active", keys)
    apply_bulk(SET_ACTIVE, Station.objects.all(), actor=None, reason="as shown", seen=page.context["plan"].seen)

    assert LEFT_OUT in page.content.decode()
    assert [(line.number, line.words) for line in page.context["page"].lines if line.sign == "blocked"] == [
        (1, LEFT_OUT)
    ]
    assert dict(Station.objects.values_list("code", "active")) == {"BN": False, "BS": True, "UL": True, "B2": True}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("platforms", 30, "few_platforms"),
        ("code", "UL", "the rule that code must be unique"),
        ("number", "7", "the rule that number must be unique"),
        ("opened", None, "the rule that opened must have a value"),
    ],
)
def test_a_bulk_plan_knows_the_rules_of_the_model(world, monkeypatch, field, value, rule):
    Station.objects.filter(opened=None).update(opened="1900-01-01")
    monkeypatch.setattr(Station._meta, "constraints", [*Station._meta.constraints, FEW])
    monkeypatch.setattr(Station._meta.get_field("opened"), "null", False)
    work = setting(field, value, done="changed", already="are so already")

    plan = plan_bulk(work, Station.objects.order_by("-pk"))

    lines = [line for line in plan.lines if line.sign == "blocked"]
    assert [line.words for line in lines] == [f"left out: blocked by {rule}"]
    # What is unique one of them may have, unless one has it already.
    assert plan.number == (1 if field == "number" else 0)
    assert sum(line.number for line in plan.lines) == 3


@pytest.mark.django_db
def test_an_action_that_breaks_no_rule_copies_no_rows(world, django_assert_max_num_queries):
    work = setting("opened", None, done="without a date", already="have none")

    with django_assert_max_num_queries(8) as asked:
        plan_bulk(work, Station.objects.all())

    assert not any("revert_station" in query["sql"] for query in asked)


@pytest.mark.django_db(transaction=True)
def test_a_bulk_action_names_the_rule_that_the_model_does_not_know(narrowed, rule):
    work = setting("platforms", 30, done="given 30 platforms", already="have them")

    with pytest.raises(BulkRefused, match="Blocked by few_platforms"):
        apply_bulk(work, Station.objects.all(), actor=None, reason="too many")
