"""The retention: what is kept and why, by examples, and what holds of any set of backups."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from apps.backups.catalogue.manifests import Backup
from apps.backups.catalogue.retention import judge

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def made(hours_old: float, kind: str = "full", **more: object) -> Backup:
    at = NOW - timedelta(hours=hours_old)
    values = {"id": f"{at:%Y%m%d-%H%M%S}-{kind}", "kind": kind, "created_at": at, "actor": "", "reason": ""}
    state = {"engine": "sqlite", "server_version": "3", "migrations": (), "newest_changeset": 1, "row_counts": {}}
    return Backup(**{**values, **state, "size_bytes": 4, "sha256": "0" * 64, "path": "x", **more})


def kept(*backups: Backup) -> dict[str, str]:
    return {each.backup.id: each.why for each in judge(backups, now=NOW) if each.kept}


def test_a_year_of_daily_backups_leaves_seven_days_four_weeks_and_twelve_months():
    year = [made(24 * day + 1) for day in range(365)]

    reasons = list(kept(*year).values())

    assert sum("within a day" in why for why in reasons) == 1
    assert sum("daily" in why for why in reasons) == 6
    # The newest of the last two weeks and of this month stand among the days already.
    assert sum("weekly" in why for why in reasons) == 2
    assert sum("monthly" in why for why in reasons) == 11
    assert len(reasons) == 20


def test_of_one_day_the_newest_stays_once_it_is_over():
    morning, evening = made(60), made(50)

    assert list(kept(morning, evening)) == [evening.id]


def test_what_was_made_automatically_stays_a_day_and_the_newest_three_longer():
    young = [made(hours, "before-import") for hours in (1, 2, 3, 23)]
    old = [made(hours, "before-import") for hours in (25, 50)]

    assert set(kept(*young, *old)) == {each.id for each in young}
    assert set(kept(*old)) == {each.id for each in old}


def test_the_newest_verified_one_stays_however_old_and_whatever_came_after():
    proven = made(24 * 900, verified_at=NOW)

    assert kept(proven, *[made(hours) for hours in range(1, 48)])[proven.id] == "the newest one that is verified"


def test_one_that_did_not_restore_stands_for_no_day_and_for_none_of_the_newest():
    good, bad = made(60), made(50, verified="It is not whole.")
    automatic = [made(100 + hours, "before-import") for hours in (2, 3, 4)]
    spoilt = made(100, "before-import", verified="It is not whole.")

    assert set(kept(good, bad)) == {good.id}
    assert set(kept(spoilt, *automatic)) == {each.id for each in automatic}


def test_a_label_keeps_a_backup_for_good():
    named = made(24 * 900, label="before the move")

    assert kept(named, made(24 * 899), made(1))[named.id] == "it has a label"


def test_an_old_chain_goes_and_the_newest_one_stays_with_what_is_under_it():
    # The fulls are of one day long ago: nothing but the chain keeps the first of them.
    first, second = made(24 * 800 + 1), made(24 * 800)
    old = [made(24 * 799 - hour, "incremental", base=first.id) for hour in (1, 2)]
    new = [made(24 * 798 - hour, "incremental", base=second.id) for hour in (1, 2)]

    assert set(kept(first, second, *old, *new)) == {second.id, *[each.id for each in new]}
    assert set(kept(first, second, *old)) == {first.id, second.id, *[each.id for each in old]}


def test_an_hourly_increment_keeps_all_that_it_goes_on_from_however_long_the_chain_has_grown():
    chain = [made(72)]
    for hours_old in range(71, 0, -1):
        chain.append(made(hours_old, "incremental", base=chain[-1].id))
    newer = [made(0.5), made(0.4, "incremental", base=made(0.5).id)]

    assert set(kept(*chain)) == {each.id for each in chain}
    # Those of the last day are kept also when there is a newer chain, with all that they need.
    assert set(kept(*chain, *newer)) == {each.id for each in (*chain, *newer)}


AGES = st.floats(0.1, 24 * 900)
FULLS = st.builds(lambda age, proven: made(age, verified_at=NOW if proven else None), AGES, st.booleans())
AUTOMATIC = st.builds(lambda age: made(age, "before-import"), AGES)
BACKUPS = st.lists(st.one_of(FULLS, AUTOMATIC), max_size=30, unique_by=lambda each: each.id)


@given(BACKUPS, st.lists(st.tuples(AGES, st.integers(0, 29)), max_size=10))
def test_nothing_that_is_needed_goes_and_judging_again_removes_nothing_more(backups, increments):
    fulls = [each for each in backups if each.kind == "full"]
    every = {each.id: each for each in backups}
    for age, which in sorted(increments, reverse=True) if fulls else ():
        bases = [*fulls, *(each for each in every.values() if each.kind == "incremental")]
        each = made(age, "incremental", base=bases[which % len(bases)].id)
        every.setdefault(each.id, each)

    left = [each.backup for each in judge(list(every.values()), now=NOW) if each.kept]

    ids = {each.id for each in left}
    assert {each.base for each in left if each.base} <= ids
    assert not fulls or max(fulls, key=lambda each: (each.created_at, each.id)).id in ids
    proven = [each for each in fulls if each.verified_at]
    assert not proven or max(proven, key=lambda each: (each.created_at, each.id)).id in ids
    assert [each.kept for each in judge(left, now=NOW)] == [True] * len(left)
