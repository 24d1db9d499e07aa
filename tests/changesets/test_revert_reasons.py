"""A plan says of every object what becomes of it, and names who and what stands in the way."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.context import changeset
from apps.changesets.errors import EmptyScope, RevertConflict
from apps.changesets.models import Changeset, Status
from apps.changesets.revert import Bucket, RevertPlan, Scope, Verdict, Window, newest_seen, plan_revert, revert
from apps.changesets.revert.wording import part_words
from apps.changesets.rights import all_seen
from tests.changesets.conftest import World, history_rows, tables


@pytest.fixture
def ana(db: None) -> User:
    return User.objects.create(username="ana", first_name="Ana", last_name="Lopes")


def change(actor: User | None = None, *, ident: str = "KDEN", **values: object) -> Changeset:
    with changeset(kind="edit", actor=actor) as opened:
        Airport.objects.filter(pk=ident).update(**values)
    return opened


def only(plan: RevertPlan, bucket: Bucket) -> Verdict:
    (found,) = [verdict for verdict in plan.verdicts if verdict.bucket == bucket]
    return found


# -- kept ----------------------------------------------------------------------------------------------------------


def test_a_kept_field_has_its_three_values(world: World, ana: User) -> None:
    made = change(name="upstream")
    since = change(ana, name="by Ana")

    kept = only(plan_revert([made]), Bucket.KEPT)

    (field,) = kept.fields
    assert (field.before, field.left, field.now) == ("Airport KDEN", "upstream", "by Ana")
    assert (kept.since, kept.by) == (since.pk, f"{since} by Ana Lopes")


def test_the_changeset_named_is_the_one_that_changed_the_kept_field(world: World, ana: User) -> None:
    made = change(name="upstream")
    since = change(ana, name="by Ana")
    change(elevation_ft=7)

    kept = only(plan_revert([made]), Bucket.KEPT)

    assert kept.since == since.pk


def test_what_is_reverted_too_is_never_named_as_what_changed_a_field_since(world: World, ana: User) -> None:
    first = change(name="first")
    between = change(ana, name="by Ana")
    second = change(name="second")

    kept = only(plan_revert([first, second]), Bucket.KEPT)

    assert kept.since == between.pk
    assert (kept.fields[0].left, kept.fields[0].now) == ("first", "by Ana")


def test_a_created_object_changed_since_names_the_fields(world: World, ana: User) -> None:
    since = change(ana, elevation_ft=5434)

    kept = only(plan_revert([world.made_by]), Bucket.KEPT)

    assert kept.sentence == f"created by the changeset and changed since, last in {since} by Ana Lopes"
    assert [(field.label, field.left, field.now) for field in kept.fields] == [("elevation (ft)", "nothing", "5434")]


def test_an_object_deleted_since_names_who_deleted_it(world: World, ana: User) -> None:
    made = change(name="upstream")
    with changeset(kind="delete", actor=ana) as deletion:
        Airport.objects.filter(pk="KDEN").delete()

    kept = only(plan_revert([made]), Bucket.KEPT)

    assert kept.sentence == f"deleted since, last in {deletion} by Ana Lopes"


def test_a_kept_link_is_told_by_its_label(world: World, ana: User) -> None:
    made = change(city=None)
    change(ana, city=world.boulder)

    (field,) = only(plan_revert([made]), Bucket.KEPT).fields

    assert (field.label, field.before, field.left, field.now) == ("city", "Denver", "nothing", "Boulder")


# -- blocked -------------------------------------------------------------------------------------------------------


def test_a_city_created_by_an_import_and_used_since_is_blocked_and_the_user_named(world: World, ana: User) -> None:
    with changeset(kind="import", actor=None) as made:
        aspen = City.objects.create(country=world.country, name="Aspen")
    since = change(ana, ident="KBDU", city=aspen)

    blocked = only(plan_revert([made]), Bucket.BLOCKED)

    said = f"other rows still refer to it: Airport KBDU refers to it since {since} by Ana Lopes"
    assert (blocked.label, blocked.sentence) == ("Aspen", said)
    assert [(cause.model, cause.pk) for cause in blocked.causes] == [("airports.airport", "KBDU")]


def test_many_rows_that_refer_are_counted_beside_the_first(world: World) -> None:
    with changeset(kind="import", actor=None) as made:
        aspen = City.objects.create(country=world.country, name="Aspen")
    with changeset(kind="bulk_action", actor=None):
        for number in range(5):
            Airport.objects.create(ident=f"X{number}", name=f"x{number}", airport_type="closed", city=aspen)

    blocked = only(plan_revert([made]), Bucket.BLOCKED)

    assert ([cause.pk for cause in blocked.causes], blocked.more) == (["X0", "X1", "X2"], 2)


def test_a_code_taken_meanwhile_is_named(world: World, ana: User) -> None:
    made = change(source_id=None)
    since = change(ana, ident="KAPA", source_id=1)

    blocked = only(plan_revert([made]), Bucket.BLOCKED)

    assert blocked.sentence.startswith("another row has its unique value now: KAPA")
    assert blocked.sentence.endswith(f"since {since} by Ana Lopes")
    assert [(cause.pk, cause.words) for cause in blocked.causes] == [("KAPA", "has its OurAirports id")]


def test_a_target_that_is_gone_is_named(world: World, ana: User) -> None:
    made = change(ident="KBDU", city=None)
    with changeset(kind="delete", actor=ana) as deletion:
        world.boulder.delete()

    blocked = only(plan_revert([made]), Bucket.BLOCKED)

    assert blocked.sentence == (
        f"it would point to something that is gone: Boulder is gone since {deletion} by Ana Lopes"
    )


# -- dependencies across models, in any order of events ----------------------------------------------------------------


def delete_in_two_changesets() -> tuple[Changeset, Changeset]:
    with changeset(kind="delete", actor=None) as users:
        Airport.objects.all().delete()
        City.objects.all().delete()
    with changeset(kind="delete", actor=None) as country:
        Country.objects.all().delete()
    return users, country


def test_a_deleted_country_comes_back_before_what_pointed_to_it(world: World, no_drift: Callable) -> None:
    before = tables()
    users, country = delete_in_two_changesets()

    revert(plan_revert([country]), actor=None)
    revert(plan_revert([users]), actor=None)

    assert tables() == before
    no_drift()


@pytest.mark.parametrize("backwards", [False, True])
def test_both_deletions_are_reverted_at_once_in_any_order(world: World, no_drift: Callable, backwards: bool) -> None:
    before = tables()
    chosen = sorted(delete_in_two_changesets(), key=lambda made: made.pk, reverse=backwards)

    revert(plan_revert(chosen), actor=None)

    assert tables() == before
    no_drift()


def test_what_pointed_to_a_country_still_gone_is_blocked_by_its_name(world: World) -> None:
    users, country = delete_in_two_changesets()

    plan = plan_revert([users])

    assert plan.counts == {Bucket.BLOCKED: 5}
    assert all(f"United States (US) is gone since {country}" in verdict.sentence for verdict in plan.verdicts)


# -- every row, a page at a time ---------------------------------------------------------------------------------------


def test_every_row_is_listed_once_over_the_pages_of_its_bucket(world: World, ana: User) -> None:
    change(ana, name="by Ana")
    counts = plan_revert([world.made_by]).counts

    for bucket, number in counts.items():
        pages = [
            plan_revert([world.made_by], window=Window(Bucket(bucket), start, 2)).verdicts
            for start in range(0, number, 2)
        ]
        assert len({(v.model, v.pk) for page in pages for v in page}) == number
        assert {v.bucket for page in pages for v in page} == {bucket}


def test_what_is_gone_already_is_listed_as_already_so(world: World) -> None:
    Airport.objects.filter(pk="KDEN").delete()

    plan = plan_revert([world.made_by], window=Window(Bucket.ALREADY))

    assert [verdict.pk for verdict in plan.verdicts] == ["KDEN"]


# -- what moved after the plan was shown -------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["keep", "force"])
def test_a_row_that_moved_after_the_plan_was_seen_is_left_alone(world: World, ana: User, policy: str) -> None:
    with changeset(kind="bulk_action", actor=None) as made:
        Airport.objects.update(airport_type="closed")
    plan, seen = plan_revert([made], on_conflict=policy), newest_seen()
    since = change(ana, name="by Ana")

    undone = revert(plan, actor=None, seen=seen)

    types = dict(Airport.objects.values_list("ident", "airport_type"))
    assert types == {"KDEN": "closed", "KAPA": "medium_airport", "KBDU": "medium_airport"}
    (left,) = undone.summary["left_alone"]
    assert (left["pk"], left["why"], left["since"]) == ("KDEN", "changed after the plan was shown", since.pk)
    made.refresh_from_db()
    assert made.status == Status.PARTLY_REVERTED


def test_what_did_not_move_since_it_was_seen_is_reverted_whole(world: World) -> None:
    made = change(name="x")
    plan, seen = plan_revert([made]), newest_seen()

    revert(plan, actor=None, seen=seen)

    made.refresh_from_db()
    assert made.status == Status.REVERTED


def test_an_untouched_creation_that_moved_and_moved_back_is_left_alone(world: World) -> None:
    with changeset(kind="edit", actor=None) as made:
        Airport.objects.create(ident="KNEW", name="new", airport_type="closed")
    plan, seen = plan_revert([made]), newest_seen()
    change(ident="KNEW", name="newer")
    change(ident="KNEW", name="new")

    assert revert(plan, actor=None, seen=seen) is None
    assert Airport.objects.filter(pk="KNEW", airport_type="closed").exists()


# -- scope -------------------------------------------------------------------------------------------------------------


def test_chosen_rows_are_named_by_model_and_key(world: World) -> None:
    with changeset(kind="bulk_action", actor=None) as made:
        Airport.objects.update(name="x")
        City.objects.update(name="y")
    key = f"base.city:{world.denver.pk}"

    plan = plan_revert([made], scope=Scope(pks=("airports.airport:KDEN", key)))

    assert plan.counts == {Bucket.RESTORED: 2}
    assert {(verdict.model, verdict.pk) for verdict in plan.verdicts} == {
        ("airports.airport", "KDEN"),
        ("base.city", str(world.denver.pk)),
    }


def test_rows_can_be_left_out(world: World) -> None:
    with changeset(kind="bulk_action", actor=None) as made:
        Airport.objects.update(name="x")

    revert(plan_revert([made], scope=Scope(leave=("airports.airport:KDEN",))), actor=None)

    assert list(Airport.objects.filter(name="x").values_list("pk", flat=True)) == ["KDEN"]


def test_a_scope_of_fields_counts_only_what_changed_in_them(world: World) -> None:
    with changeset(kind="bulk_action", actor=None) as made:
        Airport.objects.filter(pk="KDEN").update(name="x", elevation_ft=4)
        Airport.objects.filter(pk="KAPA").update(elevation_ft=4)
        Airport.objects.create(ident="KNEW", name="x", airport_type="closed")

    plan = plan_revert([made], scope=Scope(fields=("name",)))

    assert plan.counts == {Bucket.RESTORED: 1}


@pytest.mark.parametrize(
    ("scope", "sentence"),
    [
        (Scope(fields=("nmae",)), "There is no field “nmae” in country or city or airport."),
        (Scope(models=("base.city",), fields=("elevation_ft",)), "There is no field “elevation_ft” in city."),
        (Scope(models=("planet",)), "There is no model “planet”: choose country, city, airport."),
        (Scope(pks=("NOPE",)), "changed nothing in this scope, so there is nothing to revert."),
        (Scope(fields=("elevation_ft",)), "changed nothing in this scope, so there is nothing to revert."),
    ],
)
def test_a_scope_that_is_not_there_is_refused_and_nothing_happens(world: World, scope: Scope, sentence: str) -> None:
    made = change(name="x")
    state, history, changesets = tables(), history_rows(), Changeset.objects.count()

    with pytest.raises(EmptyScope, match=sentence):
        revert(RevertPlan((made.pk,), scope, "keep"), actor=None)

    assert (tables(), history_rows(), Changeset.objects.count()) == (state, history, changesets)


def test_a_revert_writes_down_its_scope_and_what_it_left(world: World, ana: User) -> None:
    with changeset(kind="bulk_action", actor=None) as made:
        Airport.objects.update(name="x", elevation_ft=4)
    change(ana, name="by Ana")

    undone = revert(plan_revert([made], scope=Scope(fields=("name",))), actor=None)

    assert undone.summary["scope"] == {"fields": ["name"]}
    assert part_words(undone, sees=all_seen) == "only name; 1 kept"


def test_all_or_nothing_names_the_first_in_the_way(world: World, ana: User) -> None:
    made = change(name="x")
    since = change(ana, name="by Ana")

    with pytest.raises(RevertConflict, match=f"KDEN .name changed since, last in {since} by Ana Lopes"):
        revert(plan_revert([made]), actor=None, on_conflict="abort")
