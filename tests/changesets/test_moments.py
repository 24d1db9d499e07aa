"""What a table and an object were at a moment."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from apps.airports.models import Airport
from apps.base.models import City
from apps.changesets.context import changeset
from apps.changesets.errors import UnknownChangeset, UnreadableMoment
from apps.changesets.history.as_of import NOW, Moment, csv_lines, read_moment, state_at, version_at
from apps.changesets.history.comparison import changes_from
from apps.changesets.tracking import tracked_for

pytestmark = pytest.mark.django_db
AIRPORTS = tracked_for(Airport)
DAY = datetime(2026, 4, 1, 12, tzinfo=UTC)


def names_at(moment: Moment) -> dict[str, str]:
    return {row.ident: row.name for row in state_at(AIRPORTS, moment)}


def edit(ident: str, **values):
    with changeset(kind="edit", actor=None) as made:
        Airport.objects.filter(pk=ident).update(**values)
    return made


def date_rows(made, when: datetime) -> None:
    Airport.history.model.objects.filter(changeset=made).update(history_date=when)


def test_the_state_now_is_the_live_table(world):
    edit("KDEN", name="Denver")
    Airport.objects.filter(pk="KAPA").delete()

    assert names_at(NOW) == dict(Airport.objects.values_list("ident", "name"))


def test_before_and_after_a_changeset_differ_by_what_it_did(world):
    made = edit("KDEN", name="Denver")
    edit("KDEN", name="Later")

    assert names_at(Moment(changeset=made.pk, side="before"))["KDEN"] == "Airport KDEN"
    assert names_at(Moment(changeset=made.pk))["KDEN"] == "Denver"


def test_a_changeset_that_did_not_touch_the_table_leaves_it_as_the_one_before(world):
    edit("KDEN", name="Denver")
    with changeset(kind="edit", actor=None) as other:
        City.objects.filter(pk=world.boulder.pk).update(name="Boulder!")
    edit("KDEN", name="Later")

    for side in ("before", "after"):
        assert names_at(Moment(changeset=other.pk, side=side))["KDEN"] == "Denver"


def test_of_rows_with_the_same_date_the_one_written_last_counts(world):
    for name in ("one", "two", "three"):
        date_rows(edit("KDEN", name=name), DAY)
    date_rows(world.made_by, DAY - timedelta(days=1))

    assert names_at(Moment(date=DAY))["KDEN"] == "three"
    assert names_at(Moment(date=DAY - timedelta(seconds=1)))["KDEN"] == "Airport KDEN"


def test_a_date_means_the_table_as_written_up_to_a_row(world):
    """Of two transactions that overlap the later rows may be dated earlier: no object is shown between the two."""
    date_rows(world.made_by, DAY - timedelta(days=1))
    date_rows(edit("KDEN", name="opened second, written first"), DAY + timedelta(seconds=1))
    date_rows(edit("KAPA", name="opened first, written second"), DAY)

    assert names_at(Moment(date=DAY))["KAPA"] == "opened first, written second"
    assert names_at(Moment(date=DAY))["KDEN"] == "opened second, written first"


def test_a_deleted_object_is_there_before_and_not_after(world):
    with changeset(kind="delete", actor=None) as made:
        Airport.objects.filter(pk="KAPA").delete()

    assert "KAPA" in names_at(Moment(changeset=made.pk, side="before"))
    assert "KAPA" not in names_at(Moment(changeset=made.pk))


def test_nothing_is_there_before_the_first_changeset(world):
    assert names_at(Moment(changeset=world.made_by.pk, side="before")) == {}
    assert names_at(Moment(date=DAY - timedelta(days=9999))) == {}


def test_an_object_is_followed_to_the_key_it_had(world):
    before = Moment(changeset=edit("KDEN", name="Denver").pk)
    with changeset(kind="import", actor=None):
        Airport.objects.filter(pk="KDEN").update(ident="KDVX")

    assert version_at(AIRPORTS, "KDVX", before).ident == "KDEN"
    assert version_at(AIRPORTS, "KDVX", NOW).ident == "KDVX"


def test_an_object_whose_key_now_means_another_is_not_taken_for_it(world):
    before = Moment(changeset=world.made_by.pk)
    old = version_at(AIRPORTS, "KDEN", before)
    with changeset(kind="import", actor=None):
        Airport.objects.filter(pk="KDEN").update(ident="KDVX")
        Airport.objects.filter(pk="KAPA").update(ident="KDEN")

    assert version_at(AIRPORTS, "KDEN", before).name == "Airport KAPA"
    assert version_at(AIRPORTS, "KDEN", NOW, like=old).ident == "KDVX"


def test_what_changed_between_two_moments_is_counted_and_listed(world):
    start = Moment(changeset=world.made_by.pk)
    edit("KDEN", name="Denver")
    edit("KBDU", name="there")
    edit("KBDU", name="Airport KBDU")
    Airport.objects.filter(pk="KAPA").delete()
    Airport.objects.create(ident="KNEW", name="New", airport_type="closed")

    result = changes_from(AIRPORTS, start, NOW)

    assert result.counts == {"created": 1, "changed": 1, "deleted": 1}
    assert [(change.operation, change.pk) for change in result.changes] == [
        ("deleted", "KAPA"),
        ("changed", "KDEN"),
        ("created", "KNEW"),
    ]


def test_a_rename_between_two_moments_is_one_object(world):
    start = Moment(changeset=world.made_by.pk)
    for key, other in (("KDEN", "KDVX"), ("KDVX", "KDVY")):
        with changeset(kind="import", actor=None):
            Airport.objects.filter(pk=key).update(ident=other)

    result = changes_from(AIRPORTS, start, NOW)

    assert result.counts == {"renamed": 1}
    assert (result.changes[0].old_pk, result.changes[0].pk) == ("KDEN", "KDVY")


def test_from_a_later_to_an_earlier_moment_is_told_backwards(world):
    start = Moment(changeset=world.made_by.pk)
    Airport.objects.create(ident="KNEW", name="New", airport_type="closed")
    edit("KDEN", name="Denver")

    result = changes_from(AIRPORTS, NOW, start)

    assert result.counts == {"changed": 1, "deleted": 1}
    assert next(field for field in result.changes[0].fields if field.name == "name").new == "Airport KDEN"


@pytest.mark.parametrize(("search", "found"), [("kap", ["KAPA"]), ("AIRPORT", ["KAPA", "KBDU", "KDEN"]), ("%", [])])
def test_what_changed_is_searched_by_key_and_name(world, search, found):
    before = Moment(changeset=world.made_by.pk, side="before")

    result = changes_from(AIRPORTS, before, NOW, search=search)

    assert [change.pk for change in result.changes] == found
    assert result.matching == len(found)


def test_the_file_of_a_moment_has_the_names_of_then_and_no_formulas(world):
    made = edit("KDEN", name="=1+1", municipality="-5")
    world.denver.name = "Denver renamed"
    world.denver.save()

    lines = "".join(csv_lines(AIRPORTS, Moment(changeset=made.pk))).splitlines()

    assert lines[0].startswith("ident,source_id,iata_code,name,")
    (denver,) = [line for line in lines if line.startswith("KDEN")]
    assert "'=1+1" in denver
    assert "'-5" in denver
    assert "-104.0" in denver
    assert "Denver," in denver
    assert "renamed" not in denver


@pytest.mark.parametrize("text", ["", "now"])
def test_now_is_read(text):
    assert read_moment(text) == NOW


def test_moments_are_read_as_they_are_written(world):
    for moment in (NOW, Moment(changeset=world.made_by.pk, side="before"), Moment(date=DAY)):
        assert read_moment(str(moment)) == moment
    assert timezone.localtime(read_moment("2026-04-01").date).hour == 23


@pytest.mark.parametrize("text", ["yesterday", "2026-02-31", "before-", "after-x", "2026-04-01T99:00"])
def test_what_is_no_moment_is_refused_with_a_sentence(db, text):
    with pytest.raises(UnreadableMoment, match="“"):
        read_moment(text)


def test_a_changeset_that_is_none_is_named(db):
    with pytest.raises(UnknownChangeset, match="no changeset #999999"):
        read_moment("before-999999")


def test_looking_back_writes_nothing(world):
    edit("KDEN", name="Denver")
    written = []

    def watch(execute, sql, params, many, context):
        if sql.split()[0] in ("INSERT", "UPDATE", "DELETE") and "temp." not in sql:
            written.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        list(state_at(AIRPORTS, NOW))
        changes_from(AIRPORTS, Moment(changeset=world.made_by.pk), NOW)

    assert written == []
