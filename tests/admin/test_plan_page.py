"""The page of a plan: its rows a page at a time, its scope in the address, and a token for the state that it saw."""

import re

import pytest
from django.core import signing

from apps.airports.models import Airport
from apps.base.models import City
from apps.changesets.acts import tokens
from apps.changesets.context import changeset
from apps.changesets.models import Changeset
from apps.changesets.revert import Scope, plan_revert, revert

pytestmark = pytest.mark.django_db
LIST = "/admin/changesets/changeset/"


def address_of(made: Changeset) -> str:
    return f"{LIST}{made.pk}/revert/"


def rename_all(actor=None) -> Changeset:
    with changeset(kind="bulk_action", actor=actor, reason="all of them") as made:
        Airport.objects.update(name="x", elevation_ft=7)
    return made


# -- rows ----------------------------------------------------------------------------------------------------------


def test_a_bucket_is_shown_a_page_at_a_time(places, steward, browse_as):
    with changeset(kind="import", actor=None) as made:
        for number in range(130):
            Airport.objects.create(ident=f"X{number:03}", name=f"x{number}", airport_type="closed")
    client = browse_as(steward)

    first = client.get(address_of(made), {"bucket": "deleted"})
    second = client.get(address_of(made), {"bucket": "deleted", "start": "100"})

    assert [row.verdict.pk for row in first.context["rows"]] == [f"X{number:03}" for number in range(100)]
    assert [row.verdict.pk for row in second.context["rows"]] == [f"X{number:03}" for number in range(100, 130)]
    assert "1 to 100 of 130" in first.content.decode()
    assert "bucket=deleted&amp;start=100" in first.content.decode()


@pytest.mark.parametrize("asked", [{"bucket": "nonsense"}, {"start": "-4"}, {"start": "9" * 40}, {"start": "5000"}])
def test_what_the_address_gets_wrong_is_no_traceback(asked, places, steward, browse_as):
    assert browse_as(steward).get(address_of(places["import"]), asked).status_code == 200


def test_a_kept_row_shows_its_three_values_and_who(places, steward, operator, browse_as, edit):
    made = edit("KDEN", name="Denver Intl")
    edit("KDEN", actor=operator, name="Denver by Olga")

    page = browse_as(steward).get(address_of(made)).content.decode()

    for value in ("Denver International Airport</span>", "<del>Denver Intl</del>", "<ins>Denver by Olga</ins>"):
        assert value in page


def test_a_blocked_row_links_to_what_refers_to_it(places, steward, operator, browse_as):
    with changeset(kind="edit", actor=operator) as made:
        aspen = City.objects.create(country=places["usa"], name="Aspen")
    with changeset(kind="edit", actor=operator) as since:
        Airport.objects.filter(pk="KBKF").update(city=aspen)

    page = browse_as(steward).get(address_of(made)).content.decode()

    assert '<a href="/admin/airports/airport/KBKF/change/">Buckley Space Force Base</a> refers to it' in page
    assert f'since <a href="{LIST}{since.pk}/change/">#{since.pk} Edit by olga</a>' in page


def test_the_page_of_a_large_plan_takes_few_queries_and_little_html(places, steward, browse_as):
    with changeset(kind="import", actor=None) as made:
        Airport.objects.bulk_create(
            Airport(ident=f"X{number:03}", name=f"x{number}", airport_type="closed", city=places["denver"])
            for number in range(300)
        )
    with changeset(kind="bulk_action", actor=steward):
        Airport.objects.filter(pk__startswith="X").update(name="renamed since")

    page = browse_as(steward).get(address_of(made))

    assert len(page.context["rows"]) == 100
    assert len(page.content) < 200_000


# -- scope and policy ----------------------------------------------------------------------------------------------


def test_the_scope_in_the_address_is_the_scope_of_the_plan(places, steward, browse_as):
    made = rename_all()
    asked = {"model": "airports.airport", "field": "name", "only": "airports.airport:KDEN"}

    page = browse_as(steward).get(address_of(made), asked)

    assert page.context["plan"].scope == Scope(("airports.airport",), ("airports.airport:KDEN",), ("name",))
    assert page.context["plan"].counts == {"restored": 1}


@pytest.mark.parametrize(
    ("choice", "renamed"), [("only", {"KBKF", "EDDM"}), ("not", {"KDEN"})], ids=["only these", "without these"]
)
def test_ticked_rows_become_a_scope_that_lives_in_the_address(choice, renamed, places, steward, browse_as):
    made = rename_all()
    client = browse_as(steward)

    page = client.get(address_of(made), {"tick": "airports.airport:KDEN", "ticked": choice}, follow=True)
    client.post(address_of(made), {"seen": page.context["token"], "reason": "only so"})

    assert f"{choice}=airports.airport%3AKDEN" in page.redirect_chain[0][0]
    assert set(Airport.objects.filter(name="x").values_list("pk", flat=True)) == renamed


def test_ticking_nothing_is_said(places, steward, browse_as):
    page = browse_as(steward).get(address_of(places["import"]), {"ticked": "only"})

    assert "No row is ticked" in page.content.decode()


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"field": "nmae"}, "There is no field “nmae”"),
        ({"model": "planet"}, "There is no model “planet”"),
        ({"only": "airports.airport:NOPE"}, "changed nothing in this scope"),
    ],
)
def test_a_scope_that_is_not_there_is_one_sentence(asked, sentence, places, steward, browse_as):
    client = browse_as(steward)
    made = rename_all()

    for page in (client.get(address_of(made), asked), client.post(address_of(made) + "?field=nmae", {"reason": "x"})):
        assert page.status_code == 200
    assert sentence in client.get(address_of(made), asked).content.decode()
    assert Airport.objects.filter(name="x").count() == 3


def test_all_or_nothing_offers_no_button_while_something_would_be_kept(places, steward, browse_as, edit):
    made = rename_all()
    edit("KDEN", name="by hand")

    page = browse_as(steward).get(address_of(made), {"on_conflict": "abort"}).content.decode()

    assert "All or nothing was chosen, and 1 object would be left alone" in page
    assert "Revert 3 airports" not in page


# -- the token -----------------------------------------------------------------------------------------------------


def test_what_was_shown_is_done_whatever_the_address_says_by_then(places, steward, browse_as):
    made = rename_all()
    client = browse_as(steward)
    page = client.get(address_of(made), {"field": "name"})

    client.post(address_of(made), {"seen": page.context["token"], "reason": "names only"})

    assert not Airport.objects.filter(name="x").exists()
    assert Airport.objects.filter(elevation_ft=7).count() == 3


def tampered(token: str) -> str:
    return token[:-3] + ("AAA" if not token.endswith("AAA") else "BBB")


@pytest.mark.parametrize("spoil", [tampered, lambda token: "", lambda token: signing.dumps({"user": 1})])
def test_a_token_of_somebody_elses_making_is_refused(spoil, places, steward, browse_as):
    made = rename_all()
    client = browse_as(steward)
    token = client.get(address_of(made)).context["token"]

    page = client.post(address_of(made), {"seen": spoil(token), "reason": "x"}).content.decode()

    assert "what was confirmed was not shown on this page. Nothing was changed" in page
    assert Airport.objects.filter(name="x").count() == 3


def test_a_plan_shown_to_somebody_else_is_refused(places, steward, make_person, browse_as):
    made = rename_all()
    token = browse_as(make_person("sue", group="steward")).get(address_of(made)).context["token"]

    page = browse_as(steward).post(address_of(made), {"seen": token, "reason": "x"}).content.decode()

    assert "was shown to somebody else, or elsewhere" in page
    assert Airport.objects.filter(name="x").count() == 3


def test_a_plan_of_another_changeset_is_refused(places, steward, browse_as):
    made, other = rename_all(), places["import"]
    client = browse_as(steward)
    token = client.get(address_of(other)).context["token"]

    page = client.post(address_of(made), {"seen": token, "reason": "x"}).content.decode()

    assert "was shown to somebody else, or elsewhere" in page
    assert Airport.objects.count() == 3


def test_a_plan_older_than_a_day_is_refused(places, steward, browse_as, monkeypatch):
    made = rename_all()
    client = browse_as(steward)
    token = client.get(address_of(made)).context["token"]
    monkeypatch.setattr(tokens, "A_DAY", -1)

    page = client.post(address_of(made), {"seen": token, "reason": "x"}).content.decode()

    assert "is older than a day. Nothing was changed" in page


# -- the result ----------------------------------------------------------------------------------------------------


def test_the_revert_says_what_it_did_and_names_what_it_left(places, steward, operator, browse_as, edit):
    made = rename_all()
    since = edit("KDEN", actor=operator, name="by Olga")
    undone = revert(plan_revert([made], scope=Scope(fields=("name",))), actor=steward, reason="no")

    page = browse_as(steward).get(f"{LIST}{undone.pk}/change/").content.decode()

    assert "What this revert did <small>only name</small>" in page
    assert "<strong>2</strong> objects got their old values back" in page
    assert "<strong>1</strong> object was kept: changed since" in page
    assert f"#{since.pk} Edit by olga</a>" in page


def test_a_partly_reverted_changeset_says_which_part_and_offers_the_redo(places, steward, browse_as, edit):
    made = rename_all()
    edit("KDEN", name="by hand")
    undone = revert(plan_revert([made], scope=Scope(fields=("name",))), actor=steward, reason="no")

    page = browse_as(steward).get(f"{LIST}{made.pk}/change/").content.decode()

    assert re.search(rf"Partly reverted by <a [^>]+>#{undone.pk}</a>, <time.+</time> \(only name; 1 kept\)", page)
    assert f'formaction="{LIST}{undone.pk}/revert/" class="link-button">undo #{undone.pk}…</button>' in page


# -- many at once --------------------------------------------------------------------------------------------------


def two_renamings() -> list[Changeset]:
    made = []
    for name in ("one", "two"):
        with changeset(kind="edit", actor=None) as opened:
            Airport.objects.filter(pk="KDEN").update(name=name)
        made.append(opened)
    return made


@pytest.mark.parametrize("backwards", [False, True])
def test_the_selected_changesets_are_reverted_in_one_go(backwards, places, steward, browse_as):
    made = sorted(two_renamings(), key=lambda one: one.pk, reverse=backwards)
    client = browse_as(steward)
    selected = {"action": "revert_selected", "_selected_action": [str(one.pk) for one in made]}

    page = client.post(LIST, selected, follow=True)
    address = page.redirect_chain[-1][0]
    done = client.post(address, {"seen": page.context["token"], "reason": "both"}, follow=True)

    assert "These 2 changesets, undone newest first" in page.content.decode()
    assert "2 changesets are reverted: 1 restored." in done.content.decode()
    assert Airport.objects.get(pk="KDEN").name == "Denver International Airport"
    assert set(Changeset.objects.get(kind="revert").reverts.all()) == set(made)


def test_everything_since_a_changeset_is_planned_with_it(places, steward, browse_as):
    first, second = two_renamings()
    client = browse_as(steward)

    page = client.post(LIST, {"action": "revert_since", "_selected_action": [str(first.pk)]}, follow=True)

    assert page.redirect_chain[-1][0] == f"{LIST}revert/?ids={second.pk}%2C{first.pk}"
    assert page.context["plan"].changesets == (second.pk, first.pk)


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ("", 200, "No changeset is chosen"),
        ("?ids=x,-1", 200, "No changeset is chosen"),
        ("?ids=4711", 404, "There is no changeset #4711"),
        ("?since=4711", 404, "There is no changeset #4711"),
        ("?ids=" + ",".join(str(number) for number in range(1, 200)), 404, "There is no changeset"),
        (f"?ids={'9' * 30}", 404, "There is no changeset"),
    ],
)
def test_a_wrong_choice_of_changesets_is_one_sentence(query, status, sentence, places, steward, browse_as):
    page = browse_as(steward).get(f"{LIST}revert/{query}")

    assert (page.status_code, sentence in page.content.decode()) == (status, True)


def test_one_of_many_that_is_reverted_already_is_named(places, steward, browse_as):
    first, second = two_renamings()
    undone = revert(plan_revert([second]), actor=steward, reason="no")

    page = browse_as(steward).get(f"{LIST}revert/?ids={first.pk},{second.pk}").content.decode()

    assert f"#{second.pk} Edit is reverted already, by #{undone.pk}" in page
