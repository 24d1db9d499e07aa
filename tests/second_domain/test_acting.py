"""Bulk actions, deletion by a plan, backups of objects, findings and permissions of models that registered nothing."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from apps.airports.groups import permissions_of
from apps.backups.objects.bringing_back import plan_hanging, restore_with_hanging
from apps.backups.objects.catalogue import backups_of
from apps.backups.objects.making import back_up_object
from apps.backups.objects.restoring import fit_to, restore_from
from apps.changesets.bulk.apply import apply_bulk, plan_bulk
from apps.changesets.bulk.deleting import deleting
from apps.changesets.context import changeset
from apps.changesets.errors import BulkRefused
from apps.changesets.models import Changeset
from apps.changesets.pages.bulk_registry import actions_of
from apps.changesets.revert import plan_revert, revert
from apps.changesets.revert.go_back import plan_version
from apps.changesets.tracking import VERBS, tracked_for
from apps.imports.plan.pins import pin, pins_of
from apps.quality.accepting import accept
from apps.quality.findings import count_findings, findings_of
from apps.quality.rules import rule_named
from tests.admin.bulk import act, confirm, newest
from tests.second_domain.models import Operator, Station

pytestmark = pytest.mark.django_db
OPERATORS, STATIONS = "/admin/second_domain/operator/", "/admin/second_domain/station/"


def tables() -> dict[str, list[dict]]:
    return {model.__name__: list(model._base_manager.order_by("pk").values()) for model in (Operator, Station)}


# -- bulk actions and deletion -----------------------------------------------------------------------------------


def test_every_tracked_model_has_the_basic_actions():
    assert list(actions_of("second_domain.operator")) == ["set_field", "delete_recent_import", "delete_selected"]
    assert list(actions_of("second_domain.station"))[:3] == ["set_active", "set_inactive", "set_field"]


def test_deleting_in_the_list_shows_its_plan_and_asks_why(world, steward, browse_as):
    client, before = browse_as(steward), tables()

    plan = act(client, OPERATORS, "delete_selected", [world["SBB"].pk]).content.decode()
    without_reason = confirm(client, OPERATORS, "delete_selected", [world["SBB"].pk], reason="").content.decode()
    unchanged = tables() == before
    confirm(client, OPERATORS, "delete_selected", [world["SBB"].pk])

    assert "1 operator" in plan
    assert "of its stations go along" in plan
    assert "Say why" in without_reason
    assert unchanged
    assert (newest().kind, newest().actor, newest().reason) == ("delete", steward, "tidying")
    assert newest().counts == {"second_domain.operator": {"deleted": 1}, "second_domain.station": {"deleted": 2}}
    revert(plan_revert([newest()]), actor=None, reason="undo")
    assert tables() == before


def test_the_delete_page_of_an_object_is_the_same_plan(world, steward, browse_as):
    client, address = browse_as(steward), f"{OPERATORS}{world['DB'].pk}/delete/"

    page = client.get(address)
    client.post(address, {"reason": "bankrupt"})

    assert "Deutsche Bahn (DB)" in page.content.decode()
    assert (newest().kind, newest().reason) == ("delete", "bankrupt")
    assert not Station.objects.filter(code="UL").exists()


def test_who_may_not_delete_gets_403(world, operator, browse_as):
    answer = act(browse_as(operator), OPERATORS, "delete_selected", [world["SBB"].pk])

    assert answer.status_code == 403


def test_setting_inactive_is_planned_done_and_undone(world, steward, browse_as):
    before = tables()

    confirm(browse_as(steward), STATIONS, "set_inactive", [world["BN"].pk, world["UL"].pk])
    assert newest().counts == {"second_domain.station": {"changed": 2}}

    revert(plan_revert([newest()]), actor=None, reason="undo")
    assert tables() == before


def test_a_field_is_set_by_the_rules_of_the_form_and_comes_back(world, steward, browse_as):
    client, before, keys = browse_as(steward), tables(), [world[code].pk for code in ("BN", "BS", "UL")]

    page = confirm(client, STATIONS, "set_field", keys, field="platforms", value="-1").content.decode()
    refused = tables() == before
    confirm(client, STATIONS, "set_field", keys, field="opened", value="1900-01-31")

    assert "Ensure this value is greater than or equal to 0." in page
    assert refused
    assert {str(day) for day in Station.objects.values_list("opened", flat=True)} == {"1900-01-31"}
    revert(plan_revert([newest()]), actor=None, reason="undo")
    assert tables() == before


@pytest.mark.parametrize("typed", ["key", "DB", "Deutsche Bahn"])
def test_a_link_is_set_by_key_code_or_name(typed, world, steward, browse_as):
    value = world["DB"].pk if typed == "key" else typed

    confirm(browse_as(steward), STATIONS, "set_field", [world["BN"].pk], field="operator", value=value)

    assert Station.objects.get(code="BN").operator == world["DB"]


def test_what_is_unique_under_a_condition_is_blocked_only_where_it_holds(world, steward, browse_as):
    Station.objects.filter(code="BS").update(active=False)
    client, keys = browse_as(steward), [world["BN"].pk, world["BS"].pk]

    confirm(client, STATIONS, "set_field", keys, field="name", value="Bern")
    names = dict(Station.objects.values_list("code", "name"))
    page = act(client, STATIONS, "set_field", [world["BS"].pk], field="active", value="true").content.decode()

    assert (names["BN"], names["BS"]) == ("Bern", "Bern")
    assert "1 blocked: Constraint “active_station_name” is violated." in page


def test_a_key_that_another_object_has_is_blocked(world, steward, browse_as):
    client = browse_as(steward)

    page = act(client, OPERATORS, "set_field", [world["SBB"].pk], field="code", value="DB").content.decode()
    confirm(client, OPERATORS, "set_field", [world["SBB"].pk], field="code", value="DB")

    assert "1 blocked: Operator with this Code already exists." in page
    assert Operator.objects.filter(code="SBB").exists()


def test_what_the_newest_import_created_is_deleted(world, load, steward, browse_as):
    load({"code": "BLS", "name": "BLS"}, {"code": "DB", "name": "Bahn"}, model=Operator, corrections=True)

    confirm(browse_as(steward), OPERATORS, "delete_recent_import", Operator.objects.values_list("pk", flat=True))

    assert set(Operator.objects.values_list("code", flat=True)) == {"SBB", "DB"}


def test_what_goes_along_is_kept_by_what_points_to_it(world, monkeypatch):
    relation = Station._meta.get_field("operator").remote_field
    monkeypatch.setattr(relation, "on_delete", Station._meta.pk)  # Anything but what Django offers.

    plan = plan_bulk(deleting(), Operator.objects.filter(code="SBB"))

    assert "2 stations point to Swiss Federal Railways (SBB): delete or change what points first" in plan.refusal
    with pytest.raises(BulkRefused):
        apply_bulk(deleting(), Operator.objects.filter(code="SBB"), actor=None, reason="a test")


# -- backups of objects ------------------------------------------------------------------------------------------


def test_an_operator_is_backed_up_and_restored_field_by_field(world):
    tracked, sbb = tracked_for(Operator), world["SBB"]
    made = back_up_object(sbb, actor=None, reason="before")
    with changeset(kind="edit", actor=None):
        Operator.objects.filter(pk=sbb.pk).update(name="CFF", code="CFF")
    sbb.refresh_from_db()
    fit = fit_to(tracked, made, sbb)
    plan = plan_version(tracked, fit.version)

    restored = restore_from(tracked, made, fit, fields=["name"], actor=None, reason="back", seen=plan.seen)

    assert [backup.name for backup in backups_of(tracked, sbb).backups] == [made.name]
    assert restored.kind == "restore"
    assert Operator.objects.values_list("code", "name").get(pk=sbb.pk) == ("CFF", "Swiss Federal Railways")


def test_an_operator_that_is_gone_comes_back_with_its_stations(world):
    tracked, before = tracked_for(Operator), tables()
    made = back_up_object(world["SBB"], actor=None, reason="before", hanging=True)
    gone = Operator.objects.get(code="SBB")
    with changeset(kind="delete", actor=None):
        world["SBB"].delete()
    fit = fit_to(tracked, made, gone)
    plan = plan_hanging(made)

    restore_with_hanging(
        tracked, made, fit, fields=[], actor=None, reason="back", seen=plan_version(tracked, fit.version).seen
    )

    assert [line[:2] for line in plan.lines] == [("created", 2)]
    assert tables() == before


def test_a_station_is_restored_to_an_operator_that_was_made_again_under_another_key(world):
    tracked, ulm = tracked_for(Station), world["UL"]
    made = back_up_object(ulm, actor=None)
    with changeset(kind="delete", actor=None):
        Operator.objects.get(code="DB").delete()
    again = Operator.objects.create(code="DB", name="Deutsche Bahn")
    fit = fit_to(tracked, made, ulm)

    restore_from(tracked, made, fit, fields=[], actor=None, reason="back", seen=plan_version(tracked, fit.version).seen)

    assert Station.objects.get(number="80-1").operator == again


# -- findings and pins -------------------------------------------------------------------------------------------


def test_findings_of_a_rule_are_counted_listed_and_accepted(world, steward, browse_as):
    rule, client = rule_named("station_without_platforms"), browse_as(steward)
    page = client.get(reverse("admin:quality_rule", args=[rule.code])).content.decode()
    listed = client.get(f"{STATIONS}?finding={rule.code}").context["cl"].result_count

    accept(rule, Station.objects.all(), reason="a halt", until=None, actor=steward)

    assert ("Basel" in page, "Bern" in page) == (True, False)
    assert listed == 1
    assert count_findings([rule]) == {rule.code: 0}
    assert list(findings_of(rule)) == []


def test_a_pinned_field_is_left_alone_by_imports(world, load):
    from tests.second_domain.conftest import row

    load(row("85-1", "BN", "Bern", platforms="12"))
    pin(Station.objects.get(code="BN"), "operator", note="it is ours", actor=None)
    pin(Station.objects.get(code="BN"), "platforms", note="counted", actor=None)

    load(row("85-1", "BN", "Bern HB", "DB", platforms="14"))
    bern = Station.objects.get(code="BN")

    assert set(pins_of(bern)) == {"operator", "platforms"}
    assert (bern.name, bern.operator, bern.platforms) == ("Bern HB", world["SBB"], 12)


# -- permissions -------------------------------------------------------------------------------------------------


def test_permissions_are_made_by_the_declaration_and_given_to_the_groups(db):
    made = set(Permission.objects.filter(content_type__app_label="second_domain").values_list("codename", flat=True))

    assert {f"{verb}_station" for verb in VERBS} <= made
    assert {"second_domain.view_station", "second_domain.view_historicaloperator"} <= permissions_of("viewer")
    assert "second_domain.import_operator" in permissions_of("importer")
    assert "second_domain.import_operator" not in permissions_of("editor")
    assert {"second_domain.delete_station", "second_domain.restore_station"} <= permissions_of("steward")


def test_nothing_is_recorded_by_pages_that_only_show(world, steward, browse_as):
    before = Changeset.objects.count()

    act(browse_as(steward), STATIONS, "delete_selected", [world["BN"].pk])

    assert Changeset.objects.count() == before
