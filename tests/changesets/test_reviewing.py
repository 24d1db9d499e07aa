"""Reviewing is work too; and direct writes can be told why and by whom."""

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from apps.airports.models import Airport
from apps.changesets.acts.review import (
    found_to_be,
    mark_reviewed,
    name_direct,
    next_to_review,
    take_back_review,
    unreviewed,
)
from apps.changesets.context import changeset
from apps.changesets.errors import NotToReview, UnknownChangeset
from apps.changesets.models import Changeset, Kind
from tests.changesets.conftest import World


@pytest.fixture
def stan(db: None) -> User:
    return User.objects.create(username="stan")


@pytest.fixture
def direct(world: World) -> Changeset:
    Airport.objects.filter(pk="KDEN").update(name="by SQL")
    return Changeset.objects.get(kind=Kind.DIRECT)


def test_a_review_says_who_and_when_and_what(world: World, stan: User) -> None:
    mark_reviewed(world.made_by.pk, actor=stan, comment="looks right")

    reviewed = Changeset.objects.get(pk=world.made_by.pk)
    assert (reviewed.reviewed_by, reviewed.reviewed_by_name, reviewed.review_comment) == (stan, "stan", "looks right")
    assert reviewed.reviewed_at is not None


def test_a_second_review_names_the_first(world: World, stan: User) -> None:
    mark_reviewed(world.made_by.pk, actor=stan)

    with pytest.raises(NotToReview, match=r"was reviewed by stan already\."):
        mark_reviewed(world.made_by.pk, actor=User.objects.create(username="eve"))


def test_a_review_can_be_taken_back(world: World, stan: User) -> None:
    mark_reviewed(world.made_by.pk, actor=stan, comment="looks right")

    take_back_review(world.made_by.pk, actor=stan)

    again = mark_reviewed(world.made_by.pk, actor=stan)
    assert again.review_comment == ""
    assert [(was["by"], was["comment"]) for was in again.summary["reviews"]] == [("stan", "looks right")]


def test_there_must_be_a_review_to_take_back(world: World, stan: User) -> None:
    with pytest.raises(NotToReview, match="is not reviewed"):
        take_back_review(world.made_by.pk, actor=stan)


def test_what_changed_nothing_needs_no_review(world: World, stan: User) -> None:
    with pytest.raises(ZeroDivisionError), changeset(kind="edit", actor=None):
        _ = 1 / 0
    failed = Changeset.objects.create(kind="edit", status="failed")

    assert list(unreviewed(Changeset.objects.all())) == [world.made_by]
    with pytest.raises(NotToReview, match="changed nothing"):
        mark_reviewed(failed.pk, actor=stan)


def test_an_unknown_changeset_is_named(stan: User) -> None:
    with pytest.raises(UnknownChangeset, match="There is no changeset #77"):
        mark_reviewed(77, actor=stan)


def test_a_direct_write_gets_a_reason_that_says_who_gave_it(direct: Changeset, stan: User) -> None:
    recorded = direct.actor_name

    named = name_direct(direct.pk, actor=stan, reason="hotfix of the night", who="Ana")

    assert named.reason == "hotfix of the night (done by Ana, said by stan)"
    assert named.actor_name == recorded
    assert named.summary["named"][0]["before"] == {"actor_name": recorded, "reason": ""}


def test_naming_again_keeps_what_the_database_recorded(direct: Changeset, stan: User) -> None:
    recorded = direct.actor_name
    name_direct(direct.pk, actor=stan, reason="hotfix", who="Ana")

    named = name_direct(direct.pk, actor=stan, reason="hotfix", who="Bo")

    assert named.actor_name == recorded
    assert [said["who"] for said in named.summary["named"]] == ["Ana", "Bo"]
    assert len(named.summary["named"]) == 2


def test_only_direct_writes_are_named(world: World, stan: User) -> None:
    with pytest.raises(NotToReview, match="only direct writes are named"):
        name_direct(world.made_by.pk, actor=stan, reason="because")


@pytest.mark.parametrize("verdict", ["fine", "questionable", "harmful"])
def test_a_review_has_a_verdict(world: World, stan: User, verdict: str) -> None:
    mark_reviewed(world.made_by.pk, actor=stan, verdict=verdict)

    reviewed = Changeset.objects.get(pk=world.made_by.pk)
    assert reviewed.verdict == verdict
    assert list(found_to_be(verdict, Changeset.objects.all())) == [reviewed]


def test_a_review_from_before_there_were_verdicts_counts_as_fine(world: World, stan: User) -> None:
    mark_reviewed(world.made_by.pk, actor=stan)
    Changeset.objects.update(review_verdict="")

    assert Changeset.objects.get().verdict == "fine"
    assert list(found_to_be("fine", Changeset.objects.all())) == [world.made_by]


def test_what_nobody_reviewed_has_no_verdict(world: World) -> None:
    assert Changeset.objects.get().verdict == ""
    assert list(found_to_be("fine", Changeset.objects.all())) == []


def test_there_are_three_verdicts(world: World, stan: User) -> None:
    with pytest.raises(NotToReview, match="fine, questionable or harmful"):
        mark_reviewed(world.made_by.pk, actor=stan, verdict="great")


@pytest.mark.parametrize("field", ["actor", "asked_by"])
def test_nobody_reviews_what_they_made_or_asked_for(world: World, stan: User, field: str) -> None:
    Changeset.objects.update(**{field: stan})

    with pytest.raises(NotToReview, match=r"You made #.* yourself: somebody else has to review it"):
        mark_reviewed(world.made_by.pk, actor=stan)


def test_taking_a_review_back_keeps_its_verdict(world: World, stan: User) -> None:
    mark_reviewed(world.made_by.pk, actor=stan, verdict="harmful")

    taken = take_back_review(world.made_by.pk, actor=stan)

    assert (taken.verdict, taken.review_verdict) == ("", "")
    assert taken.summary["reviews"][0]["verdict"] == "harmful"


def test_the_next_to_review_is_the_next_older_one_of_somebody_else(world: World, stan: User) -> None:
    oldest, own, newer, newest = (
        Changeset.objects.create(kind="edit", actor=actor) for actor in (None, stan, None, None)
    )

    assert next_to_review(newest.pk, actor=stan) == newer
    assert next_to_review(newer.pk, actor=stan) == oldest
    assert next_to_review(world.made_by.pk, actor=stan) == newest
    Changeset.objects.exclude(pk__in=[own.pk, newer.pk]).update(reviewed_at=timezone.now())
    assert next_to_review(newer.pk, actor=stan) is None
