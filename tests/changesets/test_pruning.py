"""`prune_history`: old history goes, and nothing that can still be reverted needs it."""

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from apps.airports.models import Airport
from apps.base.models import Country
from apps.changesets.context import changeset
from apps.changesets.errors import HistoryPruned, NothingToRevert
from apps.changesets.history.as_of import Moment
from apps.changesets.history.pruning import refuse_pruned_moment
from apps.changesets.models import Changeset
from apps.changesets.revert import changesets_since, newest_revertable, plan_revert, revert
from tests.changesets.conftest import World, history_rows, tables


def write(**values: object) -> Changeset:
    with changeset(kind="edit", actor=None) as made:
        Airport.objects.filter(pk="KDEN").update(**values)
    return made


def prune(before: object, *arguments: str) -> dict:
    out = StringIO()
    call_command("prune_history", "--before", str(before), *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def edits(world: World) -> list[Changeset]:
    """Return three edits of one airport."""
    return [write(name="a"), write(name="b"), write(name="c")]


def test_what_is_superseded_goes_and_a_later_changeset_can_be_reverted(
    edits: list[Changeset], no_drift: Callable[[], None]
) -> None:
    before, rows = tables(), history_rows()

    # The airport's creation, superseded by "a"; "a" is what the second edit found.
    assert prune(edits[1].created_at) == {"rows": 1, "kept": 6, "changesets": 2}

    assert (tables(), history_rows()) == (before, rows - 1)
    no_drift()
    for made in (edits[2], edits[1]):
        revert(plan_revert([made]), actor=None)
    assert Airport.objects.get(pk="KDEN").name == "a"
    no_drift()


def test_a_dry_run_says_the_same_and_changes_nothing(edits: list[Changeset]) -> None:
    rows = history_rows()

    assert prune(edits[1].created_at, "--dry-run") == {"rows": 1, "kept": 6, "changesets": 2}

    assert history_rows() == rows
    assert not Changeset.objects.filter(pruned_at__isnull=False).exists()


def test_pruning_again_takes_what_was_needed_then(edits: list[Changeset], no_drift: Callable[[], None]) -> None:
    prune(edits[1].created_at)

    assert prune(timezone.now()) == {"rows": 2, "kept": 6, "changesets": 2}
    assert prune(timezone.now()) == {"rows": 0, "kept": 6, "changesets": 0}

    no_drift()


def test_what_is_pruned_is_never_reverted(world: World, edits: list[Changeset]) -> None:
    prune(edits[1].created_at)
    state = tables()

    with pytest.raises(NothingToRevert, match="history was pruned"):
        plan_revert([world.made_by])
    with pytest.raises(HistoryPruned, match=f"up to #{edits[0].pk} Edit was pruned"):
        changesets_since(world.made_by.created_at)
    assert newest_revertable(kind="import", model="airports.airport") is None
    with pytest.raises(CommandError, match="was pruned"):
        call_command("rollback_airports", changeset=world.made_by.pk, yes=True)
    with pytest.raises(CommandError, match="was pruned: choose what came after it"):
        call_command("rollback_airports", "--since", "2020-01-01", "--yes")
    assert tables() == state


def test_what_was_there_before_is_not_guessed(world: World, edits: list[Changeset]) -> None:
    prune(edits[1].created_at)

    for moment in (
        Moment(date=edits[0].created_at - timedelta(seconds=1)),
        Moment(changeset=world.made_by.pk),
        Moment(changeset=edits[0].pk, side="before"),
    ):
        with pytest.raises(HistoryPruned):
            refuse_pruned_moment(moment)
    for moment in (Moment(), Moment(changeset=edits[0].pk), Moment(date=edits[1].created_at)):
        refuse_pruned_moment(moment)
    for todo in ("since", "diff"):
        with pytest.raises(CommandError, match="was pruned"):
            call_command("changesets", todo, str(world.made_by.pk))
    call_command("changesets", "since", str(edits[0].pk), stdout=StringIO())


def test_what_was_deleted_can_still_be_brought_back(world: World, no_drift: Callable[[], None]) -> None:
    with changeset(kind="delete", actor=None):
        Airport.objects.filter(pk="KDEN").delete()

    prune(timezone.now())

    assert Airport.history.get(ident="KDEN").history_type == "-"
    no_drift()


def test_a_direct_write_keeps_its_counts(world: World) -> None:
    with changeset(kind="edit", actor=None):
        Country.objects.update(name="U.S.A.")
    Airport.objects.filter(pk="KDEN").update(name="by hand")
    direct = Changeset.objects.get(kind="direct")
    Airport.history.filter(changeset=direct).update(history_date=timezone.now() - timedelta(hours=1))
    Changeset.objects.filter(pk=direct.pk).update(created_at=timezone.now() - timedelta(hours=1))

    prune(timezone.now())

    direct.refresh_from_db()
    assert direct.counts == {"airports.airport": {"changed": 1}}
    assert direct.pruned_at is not None


def test_a_direct_write_that_may_still_grow_stays(world: World) -> None:
    Airport.objects.filter(pk="KDEN").update(name="by hand")

    assert prune(timezone.now())["changesets"] == 1

    assert Changeset.objects.get(kind="direct").pruned_at is None


def test_its_page_says_so(edits: list[Changeset], admin_client: Client) -> None:
    prune(edits[1].created_at)

    listed = admin_client.get("/admin/changesets/changeset/")
    page = admin_client.get(f"/admin/changesets/changeset/{edits[0].pk}/change/")

    assert "history pruned" in listed.content.decode()
    assert "history was pruned" in page.content.decode()
    assert "Revert…" not in page.content.decode()


def test_a_moment_that_is_none_is_refused(world: World) -> None:
    with pytest.raises(CommandError, match="--before 'soon' is no moment"):
        prune("soon")
