"""create_groups: who may do what."""

import json
from io import StringIO

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import CommandError, call_command

from apps.airports.groups import GROUPS, create_groups, permissions_of
from apps.changesets.tracking import tracked_models
from tests.conftest import make_groups

TRACKED = ("airports.{}_airport", "base.{}_city", "base.{}_country")


def may(person: User, verb: str) -> list[bool]:
    """Return whether `person` may do `verb`, one answer for each of the three tables."""
    return [person.has_perm(table.format(verb)) for table in TRACKED]


@pytest.mark.django_db
def test_prints_the_groups_as_json():
    out = StringIO()

    call_command("create_groups", json=True, stdout=out)

    assert json.loads(out.getvalue()) == {"groups": ["viewer", "editor", "importer", "steward", "approver"]}


@pytest.mark.django_db
def test_prints_counts_for_a_person():
    out = StringIO()

    call_command("create_groups", stdout=out)

    # Five of the console itself, and two for each tracked model: to view it, and to view its history.
    assert f"viewer      {5 + 2 * len(tracked_models())} permissions" in out.getvalue()


@pytest.mark.django_db
def test_running_again_mends_a_group_and_keeps_its_members():
    create_groups()
    group = Group.objects.get(name="viewer")
    member = User.objects.create_user("vera")
    member.groups.add(group)
    group.permissions.set(Permission.objects.filter(codename="delete_airport"))

    create_groups()

    assert set(member.groups.all()) == {group}
    assert {f"{p.content_type.app_label}.{p.codename}" for p in group.permissions.all()} == permissions_of("viewer")
    assert Group.objects.count() == len(GROUPS)


@pytest.mark.django_db
def test_a_missing_permission_is_told_in_a_sentence():
    Permission.objects.filter(codename="import_city").delete()

    with pytest.raises(CommandError, match=r"run `python manage.py migrate` first\."):
        call_command("create_groups")

    assert not Group.objects.exists()


def test_the_viewer_looks_at_everything_and_changes_nothing(viewer):
    assert may(viewer, "view") == [True] * 3
    assert viewer.has_perms(["changesets.view_changeset", "airports.view_historicalairport"])
    assert not [p for p in viewer.get_all_permissions() if ".view_" not in p]


def test_the_operator_imports_and_does_not_delete(operator):
    assert may(operator, "change") == may(operator, "import") == may(operator, "export") == [True] * 3
    assert may(operator, "delete") == [False] * 3
    assert not operator.has_perm("changesets.revert_changeset")


def test_the_steward_deletes_and_reverts(steward):
    assert may(steward, "delete") == may(steward, "import") == [True] * 3
    assert steward.has_perm("changesets.revert_changeset")


def test_the_outsider_may_do_nothing(outsider):
    assert outsider.is_staff
    assert not outsider.get_all_permissions()


def test_nobody_but_a_superuser_writes_history_or_changesets_by_hand():
    written_by_hand = [
        permission
        for group in GROUPS
        for permission in permissions_of(group)
        if ("historical" in permission or "_changeset" in permission) and ".view_" not in permission
    ]

    assert set(written_by_hand) == {"changesets.revert_changeset", "changesets.review_changeset"}


@pytest.mark.django_db
def test_the_groups_that_other_tests_start_from_are_those_of_the_command():
    def granted() -> dict[str, set[int]]:
        return {group.name: set(group.permissions.values_list("pk", flat=True)) for group in Group.objects.all()}

    create_groups()
    made = granted()

    # The first time they may come from the command; from the second on they are remembered.
    for _ in range(2):
        Group.objects.all().delete()
        make_groups()

        assert granted() == made
