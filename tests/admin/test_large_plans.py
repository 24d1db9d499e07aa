"""A large revert plan is made once, and its further pages are read from what is remembered of it."""

import pytest
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.airports.models import Airport
from apps.changesets.context import changeset
from apps.changesets.models import Changeset
from apps.changesets.revert import plan_revert, revert, stored

pytestmark = pytest.mark.django_db
MOST = 15
NUMBER = 420


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch) -> None:
    """Cut into many chunks what is one."""
    monkeypatch.setattr(stored, "MOST_CHUNKS", 1000)
    monkeypatch.setattr(stored, "SMALLEST_CHUNK", 30)


@pytest.fixture
def made(places) -> Changeset:
    """An import of many airports, of which half were renamed since."""
    with changeset(kind="import", actor=None, reason="many") as opened:
        Airport.objects.bulk_create(
            Airport(ident=f"X{n:03}", name=f"Strip {n}", airport_type="closed", city=places["denver"])
            for n in range(NUMBER)
        )
    with changeset(kind="edit", actor=None):
        Airport.objects.filter(pk__lt="X100", pk__startswith="X").update(name="by hand", city=places["munich"])
    return opened


def address_of(made: Changeset) -> str:
    return f"/admin/changesets/changeset/{made.pk}/revert/"


def plans_made(monkeypatch) -> list:
    made, original = [], stored.merge_copies
    monkeypatch.setattr(stored, "merge_copies", lambda *args, **more: made.append(1) or original(*args, **more))
    return made


def names_of(page) -> list[str]:
    return [row.verdict.pk for row in page.context["rows"]]


def test_further_pages_take_few_queries_and_make_no_plan(made, steward, browse_as, monkeypatch):
    client, plans = browse_as(steward), plans_made(monkeypatch)
    client.get(address_of(made))
    numbers = {}

    for asked in ("bucket=deleted&start=100", "bucket=deleted&start=300", "bucket=kept", "bucket=kept&start=0"):
        with CaptureQueriesContext(connection) as queries:
            client.get(f"{address_of(made)}?{asked}")
        numbers[asked] = len(queries)

    assert {asked: number for asked, number in numbers.items() if number > MOST} == {}
    assert len(plans) == 1


def test_all_pages_together_are_the_plan(made, steward, browse_as):
    client = browse_as(steward)

    pages = [client.get(address_of(made), {"bucket": "deleted", "start": start}) for start in (0, 100, 200, 300)]

    assert [len(names_of(page)) for page in pages] == [100, 100, 100, 20]
    assert [name for page in pages for name in names_of(page)] == [f"X{n}" for n in range(100, NUMBER)]
    assert "Page 4 of 4" in pages[-1].content.decode()
    assert "301 to 320 of 320" in pages[-1].content.decode()


def test_a_kept_row_names_who_changed_it_on_every_page(made, steward, browse_as):
    client = browse_as(steward)
    client.get(address_of(made))

    again = client.get(address_of(made), {"bucket": "kept"})

    since = Changeset.objects.get(kind="edit")
    verdict = again.context["rows"][0].verdict
    assert (verdict.pk, verdict.since, verdict.by) == ("X000", since.pk, str(since))
    assert {field.name: (field.left, field.now) for field in verdict.fields} == {
        "name": ("Strip 0", "by hand"),
        "city": ("Denver", "München"),
    }


@pytest.mark.parametrize("lost", ["a chunk", "everything"])
def test_what_the_cache_lost_is_planned_anew(lost, made, steward, browse_as, monkeypatch):
    client = browse_as(steward)
    before = names_of(client.get(address_of(made), {"bucket": "deleted", "start": 100}))
    plans, cache = plans_made(monkeypatch), caches["figures"]
    if lost == "everything":
        cache.clear()
    else:
        recalled = stored.recalled
        monkeypatch.setattr(
            stored, "recalled", lambda name, state: None if name[-2:] == "-7" else recalled(name, state)
        )

    after = names_of(client.get(address_of(made), {"bucket": "deleted", "start": 100}))

    assert (after, len(plans)) == (before, 1)


def test_any_write_makes_it_another_plan(made, steward, browse_as, edit):
    client = browse_as(steward)
    client.get(address_of(made))
    edit("X200", name="by hand")

    page = client.get(address_of(made))

    assert page.context["plan"].counts == {"deleted": 319, "kept": 101}


def test_what_is_reverted_by_now_has_no_plan_whatever_is_remembered(made, steward, browse_as):
    client = browse_as(steward)
    client.get(address_of(made))
    Changeset.objects.filter(pk=made.pk).update(status="reverted")

    assert "is reverted already" in client.get(address_of(made)).content.decode()


def test_a_remembered_plan_is_confirmed_under_the_lock_as_any_other(made, steward, browse_as, edit):
    client = browse_as(steward)
    client.get(address_of(made))
    token = client.get(address_of(made), {"bucket": "deleted", "start": 100}).context["token"]
    edit("X200", name="by hand")

    client.post(address_of(made), {"seen": token, "reason": "wrong file"})

    assert Airport.objects.filter(pk__startswith="X").count() == 101
    assert Airport.objects.filter(pk="X200").exists()


def test_reading_pages_writes_nothing_to_the_database(made, steward, browse_as):
    client, before = browse_as(steward), Changeset.objects.count()
    client.get(address_of(made))

    with CaptureQueriesContext(connection) as queries:
        client.get(address_of(made), {"bucket": "deleted", "start": 100})

    assert all(query["sql"].startswith("SELECT") for query in queries)
    assert Changeset.objects.count() == before


def test_a_small_plan_is_not_remembered(places, steward, browse_as, edit):
    changed = edit("KDEN", name="Denver Intl")
    client = browse_as(steward)
    client.get(address_of(changed))
    revert(plan_revert([changed]), actor=None, reason="no")

    assert not list(caches["figures"]._list_cache_files())
