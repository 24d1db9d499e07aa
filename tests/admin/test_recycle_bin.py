"""The recycle bin in the admin: what is deleted, and bringing it back by way of a plan."""

import pytest
from django.contrib.auth.models import Permission

from apps.airports.models import Airport
from apps.base.models import City
from apps.changesets.context import changeset
from apps.changesets.models import Changeset
from apps.changesets.pages import recycle_bin

pytestmark = pytest.mark.django_db
BIN = "/admin/changesets/changeset/recycle-bin/"
PLAN = BIN + "restore/"


@pytest.fixture
def deleted(places, steward) -> Changeset:
    """Two airports, deleted by Stan in one changeset."""
    with changeset(kind="delete", actor=steward, reason="closed for good") as made:
        Airport.objects.filter(pk__in=["KDEN", "KBKF"]).delete()
    return made


def picks(client, model: str = "airports.airport") -> list[str]:
    rows = client.get(BIN, {"model": model}).context["rows"]
    return [f"{model}:{row.history_id}" for row, _, _ in rows]


def test_the_bin_tells_who_deleted_what_when_and_why(deleted, viewer, browse_as):
    page = browse_as(viewer).get(BIN).content.decode()

    assert "Denver International Airport" in page
    assert "by stan" in page
    assert f"#{deleted.pk} Delete" in page
    assert "closed for good" in page
    assert "Airports 2" in page
    assert "<summary>had " in page


def test_the_bin_is_searched(deleted, viewer, browse_as):
    client = browse_as(viewer)

    assert [row.ident for row, _, _ in client.get(BIN, {"q": "buckley"}).context["rows"]] == ["KBKF"]
    assert "No deleted airport matches." in client.get(BIN, {"q": "zzz"}).content.decode()


def test_an_empty_bin_says_so(places, viewer, browse_as):
    page = browse_as(viewer).get(BIN, {"model": "base.city"}).content.decode()

    assert "No city is deleted." in page


def test_who_may_not_restore_sees_no_button_and_a_reason(deleted, viewer, operator, browse_as):
    for person in (viewer, operator):
        page = browse_as(person).get(BIN).content.decode()

        assert "Bring back the ticked objects" not in page
        assert 'type="checkbox"' not in page
        assert "you need the permissions" in page


def test_the_plan_comes_first_and_writes_nothing(deleted, steward, browse_as):
    client = browse_as(steward)

    page = client.get(PLAN, {"pick": picks(client)}).content.decode()

    assert "<strong>2</strong> objects come back with key and every value" in page
    assert not Airport.objects.filter(pk="KDEN").exists()


def test_with_a_reason_the_ticked_come_back_as_a_changeset(deleted, steward, browse_as):
    client = browse_as(steward)
    (pick,) = [pick for pick in picks(client) if Airport.history.get(pk=pick.split(":")[1]).ident == "KDEN"]
    seen = client.get(PLAN, {"pick": pick}).context["token"]

    response = client.post(PLAN, {"pick": pick, "seen": seen, "reason": "it is open"}, follow=True)

    made = Changeset.objects.first()
    assert (made.kind, made.actor, made.reason) == ("restore", steward, "it is open")
    assert Airport.objects.get(pk="KDEN").name == "Denver International Airport"
    assert not Airport.objects.filter(pk="KBKF").exists()
    assert "1 brought back." in response.content.decode()


def test_without_a_reason_nothing_comes_back(deleted, steward, browse_as):
    client = browse_as(steward)

    response = client.post(PLAN, {"pick": picks(client), "reason": " "})

    assert "Say why" in response.content.decode()
    assert not Airport.objects.filter(pk="KDEN").exists()


def test_what_blocks_is_named_and_can_come_back_too(deleted, places, steward, browse_as):
    with changeset(kind="delete", actor=steward):
        City.objects.filter(pk=places["denver"].pk).delete()
    client = browse_as(steward)

    response = client.get(PLAN, {"pick": picks(client)})
    page = response.content.decode()
    wider = client.get(PLAN + response.context["also_url"].replace("&amp;", "&"))

    assert "its city Denver is deleted" in page
    assert wider.context["plan"].coming == 3


def test_the_changeset_names_what_stayed_and_why(deleted, places, steward, browse_as):
    Airport.objects.create(ident="KBKF", name="Another", airport_type="closed")
    client = browse_as(steward)
    posted = {"pick": picks(client), "reason": "open again"}
    posted["seen"] = client.get(PLAN, {"pick": posted["pick"]}).context["token"]

    page = client.post(PLAN, posted, follow=True).content.decode()

    assert "What was left alone" in page
    assert "1 is blocked and stays in the recycle bin" in page
    assert ": ident KBKF is that of KBKF · Another now" in page
    assert f'<a href="{BIN}">Back to the recycle bin</a>' in page


def test_what_came_back_meanwhile_is_said(deleted, steward, browse_as):
    client = browse_as(steward)
    pick = picks(client)
    seen = client.get(PLAN, {"pick": pick}).context["token"]
    client.post(PLAN, {"pick": pick[:1], "seen": client.get(PLAN, {"pick": pick[0]}).context["token"], "reason": "a"})

    page = client.post(PLAN, {"pick": pick, "seen": seen, "reason": "b"}).content.decode()

    assert "rows changed since the plan was shown" in page
    assert "not in the recycle bin any more" in page


@pytest.mark.parametrize(
    "pick", [[], ["nonsense"], ["airports.airport:x"], ["no.model:1"], ["airports.airport:999999"]]
)
def test_a_pick_that_is_nothing_restores_nothing(deleted, steward, browse_as, pick):
    client = browse_as(steward)

    assert client.get(PLAN, {"pick": pick}).status_code == 200
    assert client.post(PLAN, {"pick": pick, "reason": "x"}).status_code == 200
    assert not Airport.objects.filter(pk="KDEN").exists()


def test_the_plan_shows_every_value_that_comes_back_and_is_filtered(deleted, steward, browse_as):
    client = browse_as(steward)

    page = client.get(PLAN, {"pick": picks(client), "q": "kden"})

    (row,) = page.context["rows"]
    values = {change.name: (change.old, change.new) for change in row.changes}
    assert (values["name"], values["city"]) == ((None, "Denver International Airport"), (None, "Denver"))
    assert page.context["plan"].coming == 2


def test_a_long_plan_is_paged(places, steward, browse_as):
    with changeset(kind="import", actor=None):
        Airport.objects.bulk_create(Airport(ident=f"X{n:03}", name="x", airport_type="closed") for n in range(130))
    with changeset(kind="delete", actor=None):
        Airport.objects.filter(name="x").delete()
    gone = [f"airports.airport:{row}" for row in Airport.history.filter(history_type="-").values_list("pk", flat=True)]

    page = browse_as(steward).get(PLAN, {"pick": gone, "start": 100})

    assert len(page.context["rows"]) == 30
    assert "101 to 130 of 130" in page.content.decode()


@pytest.fixture
def many_deleted(deleted) -> list[str]:
    """120 airports more, deleted together; their keys."""
    keys = [f"X{number:03}" for number in range(120)]
    with changeset(kind="import", actor=None):
        Airport.objects.bulk_create(Airport(ident=key, name=f"Strip {key}", airport_type="closed") for key in keys)
    with changeset(kind="delete", actor=None):
        Airport.objects.filter(pk__in=keys).delete()
    return keys


def choose(client, **more):
    """Press the button below the list, as its form does."""
    return client.post(PLAN, {"show": "plan", "model": "airports.airport", "q": "", **more}, follow=True)


def test_all_that_a_search_finds_come_back_by_one_plan(many_deleted, steward, browse_as):
    client = browse_as(steward)

    page = choose(client, q="strip", every="1")
    before = Airport.objects.filter(pk__in=many_deleted).count()
    address = page.redirect_chain[-1][0]
    client.post(address, {**dict(page.context["rest"]), "seen": page.context["token"], "reason": "open again"})

    assert (page.context["plan"].coming, len(page.context["rows"])) == (120, 100)
    assert (before, Airport.objects.filter(pk__in=many_deleted).count()) == (0, 120)
    assert not Airport.objects.filter(pk="KDEN").exists()


def test_all_rows_are_offered_where_there_are_more_than_a_page(many_deleted, steward, browse_as):
    texts = [" ".join(browse_as(steward).get(BIN, {"q": q}).content.decode().split()) for q in ("", "strip", "x00")]

    offers = ("All 122 airports, not only the ticked", "All 120 that fit the search, not only the ticked")
    assert [[offer in text for offer in offers] for text in texts] == [[True, False], [False, True], [False, False]]


def test_the_ticked_rows_alone_stay_in_the_address(deleted, steward, browse_as):
    client = browse_as(steward)
    pick = picks(client)[0]

    page = choose(client, pick=pick)

    assert page.redirect_chain == [(f"{PLAN}?pick={pick.replace(':', '%3A')}", 302)]
    assert page.context["plan"].coming == 1


def test_more_than_can_come_back_at_once_are_refused_with_a_sentence(many_deleted, steward, browse_as, monkeypatch):
    monkeypatch.setattr(recycle_bin, "MOST_AT_ONCE", 100)

    page = choose(browse_as(steward), every="1")

    assert page.redirect_chain == [(f"{BIN}?model=airports.airport&q=", 302)]
    assert "objects come back at once: search for some of them" in page.content.decode()


def test_all_rows_of_what_a_person_may_not_see_are_none(many_deleted, outsider, browse_as):
    names = ("view_changeset", "revert_changeset", "view_city")
    outsider.user_permissions.set(Permission.objects.filter(codename__in=names))

    page = choose(browse_as(outsider), every="1")

    assert page.redirect_chain == [(f"{PLAN}?", 302)]
    assert "Nothing is ticked." in page.content.decode()


def test_a_choice_of_somebody_else_is_refused_with_a_sentence(many_deleted, steward, make_person, browse_as):
    address = choose(browse_as(steward), every="1").redirect_chain[-1][0]

    page = browse_as(make_person("sue", group="steward")).get(address)

    assert "made more than a day ago, or for somebody else" in page.content.decode()
