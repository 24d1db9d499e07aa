"""The commands changesets and rollback_airports: what they print, and how they refuse."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.airports.models import Airport
from apps.base.models import City
from apps.changesets.context import changeset
from apps.changesets.models import Changeset
from tests.changesets.conftest import World, tables


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def run_json(*arguments: str) -> object:
    return json.loads(run(*arguments, "--json"))


@pytest.fixture
def second(world: World) -> Changeset:
    """A second import, which renames all airports and adds a city."""
    with changeset(kind="import", actor=None, reason="spring") as made:
        Airport.objects.update(name="upstream")
        City.objects.create(country=world.country, name="Aspen")
    return made


def test_list_shows_the_newest_first(second: Changeset) -> None:
    listed = run_json("changesets", "list")

    assert [entry["id"] for entry in listed] == [second.pk, second.pk - 1]
    assert listed[0]["kind"] == "import"
    assert listed[0]["counts"] == {"base.city": {"created": 1}, "airports.airport": {"changed": 3}}
    assert set(listed[0]) >= {"id", "kind", "actor", "reason", "created_at", "counts", "status"}


def test_list_says_when_there_is_nothing(db: None) -> None:
    assert run("changesets", "list") == "Nothing was changed yet.\n"


def test_list_counts_direct_writes_that_may_still_grow(world: World) -> None:
    Airport.objects.filter(pk="KDEN").update(name="x")

    assert run_json("changesets", "list")[0]["counts"] == {"airports.airport": {"changed": 1}}


def test_show_tells_who_why_and_how_much(second: Changeset) -> None:
    shown = run("changesets", "show", str(second.pk))

    assert f"#{second.pk} Import (applied)" in shown
    assert "spring" in shown
    assert "airports.airport  ~3" in shown


def test_diff_gives_old_and_new_of_each_field(second: Changeset) -> None:
    lines = run("changesets", "diff", str(second.pk), "--format", "csv").splitlines()

    assert lines[0] == "model,operation,pk,old_pk,field,old,new"
    assert "airports.airport,changed,KDEN,KDEN,name,Airport KDEN,upstream" in lines


def test_diff_shows_links_by_their_label(world: World) -> None:
    with changeset(kind="edit", actor=None) as made:
        Airport.objects.filter(pk="KDEN").update(city=world.boulder)

    changes = json.loads(run("changesets", "diff", str(made.pk), "--json"))

    assert changes[0]["fields"] == {"city": ["Denver", "Boulder"]}


def test_diff_names_what_is_gone_from_its_history(world: World) -> None:
    world.denver.delete()
    made = Changeset.objects.first()

    text = run("changesets", "diff", str(made.pk))

    assert "city: Denver (deleted) -> None" in text


def test_revert_takes_one_field_of_one_object_back(second: Changeset) -> None:
    done = run_json("changesets", "revert", str(second.pk), "--model", "airport", "--pk", "KDEN", "--field", "name")

    assert done == {
        "changesets": [second.pk],
        "revert": second.pk + 1,
        "restored": 1,
        "deleted": 0,
        "recreated": 0,
        "kept": 0,
        "blocked": 0,
    }
    assert Airport.objects.filter(name="upstream").count() == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["999"], "There is no changeset #999"),
        (["{id}", "--model", "planet"], "There is no model 'planet': choose country, city, airport."),
        (["{id}", "--model", "city", "--field", "ident"], "There is no field 'ident' in city."),
    ],
)
def test_revert_refuses_what_does_not_exist(second: Changeset, arguments: list[str], sentence: str) -> None:
    state = tables()

    with pytest.raises(CommandError, match=sentence):
        run("changesets", "revert", *[argument.format(id=second.pk) for argument in arguments])

    assert tables() == state


def test_rollback_undoes_the_newest_import(second: Changeset) -> None:
    done = run_json("rollback_airports", "--yes")

    assert (done["changesets"], done["restored"], done["deleted"]) == ([second.pk], 3, 1)


def test_rollback_goes_on_with_the_import_before(second: Changeset) -> None:
    run_json("rollback_airports", "--yes")

    done = run_json("rollback_airports", "--yes")

    assert done["changesets"] == [second.pk - 1]
    assert tables() == {"Country": [], "City": [], "Airport": []}


def test_rollback_shows_the_plan_and_asks(second: Changeset, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tables()
    monkeypatch.setattr("builtins.input", lambda prompt: "n")

    shown = run("rollback_airports")

    assert "~         3 objects get their old values back" in shown
    assert shown.endswith("Nothing was changed.\n")
    assert tables() == state


def test_rollback_dry_run_changes_nothing(second: Changeset) -> None:
    state, count = tables(), Changeset.objects.count()

    planned = run_json("rollback_airports", "--dry-run")

    assert (planned["revert"], planned["restored"]) == (None, 3)
    assert (tables(), Changeset.objects.count()) == (state, count)


def test_rollback_since_a_moment_undoes_imports_and_leaves_edits(world: World) -> None:
    moment = timezone.localtime().strftime("%Y-%m-%d %H:%M:%S.%f")
    with changeset(kind="import", actor=None):
        Airport.objects.update(name="upstream")
    with changeset(kind="edit", actor=None):
        Airport.objects.filter(pk="KDEN").update(elevation_ft=5)

    run_json("rollback_airports", "--since", moment, "--yes")

    denver = Airport.objects.get(pk="KDEN")
    assert (denver.name, denver.elevation_ft) == ("Airport KDEN", 5)


def test_rollback_of_all_kinds_since_a_moment_brings_back_the_state_of_then(world: World) -> None:
    state = tables()
    moment = timezone.localtime().strftime("%Y-%m-%d %H:%M:%S.%f")
    with changeset(kind="import", actor=None):
        Airport.objects.update(name="upstream")
    run_json("rollback_airports", "--yes")
    Airport.objects.filter(pk="KAPA").delete()

    run_json("rollback_airports", "--since", moment, "--all-kinds", "--yes")

    assert tables() == state


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--since", "yesterday-ish"], "is no moment: write it like"),
        (["--since", "2026-13-45"], "is no moment: write it like"),
        (["--since", "2999-01-01"], "Nothing to undo since 2999-01-01"),
        (["--changeset", "999"], "There is no changeset #999"),
        (["--all-kinds"], "--all-kinds goes with --since"),
        (["--json"], "add --yes"),
    ],
)
def test_rollback_refuses_with_a_sentence(second: Changeset, arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        run("rollback_airports", *arguments)


def test_rollback_says_when_no_import_is_left(db: None) -> None:
    with pytest.raises(CommandError, match="no import of airports left"):
        run("rollback_airports")


def test_a_moment_without_zone_is_in_the_configured_zone(settings) -> None:
    from apps.changesets.management.times import read_time

    settings.TIME_ZONE = "Europe/Zurich"

    with timezone.override("Europe/Zurich"):
        assert read_time("2026-11-14 10:00:00", option="--since").isoformat() == "2026-11-14T10:00:00+01:00"
        assert read_time("2026-11-14T10:00:00Z", option="--since").isoformat() == "2026-11-14T10:00:00+00:00"


@pytest.mark.parametrize(
    ("typed", "taken"),
    [
        ("2026-11-14 10:00:00", "2026-11-14 10:00:00+01:00."),
        ("2026-03-29 02:30", "2026-03-29 03:30:00+02:00; the clock skips the time given."),
        (
            "2026-10-25 02:30",
            "2026-10-25 02:30:00+02:00; the clock shows that time again as 2026-10-25 02:30:00+01:00.",
        ),
        ("2026-10-25 02:30+01:00", "2026-10-25 02:30:00+01:00."),
    ],
)
def test_since_says_which_moment_it_took(world: World, typed: str, taken: str) -> None:
    with timezone.override("Europe/Zurich"), pytest.raises(CommandError, match="Nothing to undo") as refusal:
        run("rollback_airports", "--since", "2999-01-01", "--dry-run")
    assert "+01:00" in str(refusal.value)

    world.made_by.created_at = timezone.now().replace(year=2030)
    world.made_by.save()
    with timezone.override("Europe/Zurich"):
        assert f"\n--since is taken as {taken}\n" in run("rollback_airports", "--since", typed, "--dry-run")


def test_a_moment_beyond_the_calendar_of_the_zone_is_refused(world: World, settings) -> None:
    settings.TIME_ZONE = "America/New_York"

    with pytest.raises(CommandError, match="is no moment"):
        run("rollback_airports", "--since", "0001-01-01 00:00:00+14:00", "--dry-run")
