"""Threads of comments on a changeset and on one object of it, and the page of that object to link to."""

import pytest

from apps.base.models import City
from apps.changesets.context import changeset
from apps.changesets.models import Comment
from tests.second_domain.models import Operator

pytestmark = pytest.mark.django_db
LIST = "/admin/changesets/changeset/"
DENVER = "airports.airport/id:3486"


def say(client, made, text, **about):
    return client.post(f"{LIST}{made.pk}/comment/", {"text": text, **about}, follow=True)


def about(key="id:3486", model="airports.airport") -> dict[str, str]:
    return {"model": model, "key": key}


def row_of(client, made, where=DENVER) -> str:
    return client.get(f"{LIST}{made.pk}/row/{where}/").content.decode()


def test_a_viewer_comments_on_a_changeset(places, viewer, browse_as):
    page = say(browse_as(viewer), places["import"], "Is this the file of May?\nI have an older one.")

    assert page.redirect_chain == [(f"{LIST}{places['import'].pk}/change/#comments", 302)]
    assert "Is this the file of May?<br>I have an older one." in page.content.decode()
    said = Comment.objects.get()
    assert (said.author, said.author_name, said.model, said.object_key) == (viewer, "vera", "", "")


def test_what_is_said_is_shown_as_text(places, viewer, browse_as):
    page = say(browse_as(viewer), places["import"], "<script>alert(1)</script>").content.decode()

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 2001])
def test_nothing_and_too_much_are_refused(places, viewer, browse_as, text):
    page = say(browse_as(viewer), places["import"], text).content.decode()

    assert "Write a comment of 1 to 2,000 characters: nothing was saved." in page
    assert not Comment.objects.exists()


def test_a_comment_on_an_object_stands_on_its_page_and_is_counted_beside_the_row(places, viewer, browse_as):
    client, made = browse_as(viewer), places["import"]

    alone = say(client, made, "Its elevation is in metres.", **about()).content.decode()
    page = client.get(f"{LIST}{made.pk}/change/").content.decode()

    assert "Its elevation is in metres." in alone
    assert ">\n          1 comment</a>" in page
    assert f'on <a href="{LIST}{made.pk}/row/{DENVER}/">KDEN · Denver International Airport</a>' in page
    assert "Its elevation" not in row_of(client, made, "airports.airport/id:2212")


def test_the_page_of_an_object_shows_before_and_after(places, viewer, browse_as, edit):
    made = edit("KDEN", name="Denver Intl", actor=viewer, reason="as signed")

    page = row_of(browse_as(viewer), made)

    assert "<del>Denver International Airport</del>" in page
    assert "<ins>Denver Intl</ins>" in page
    assert "as signed" in page


def test_a_link_to_a_row_is_right_after_the_object_was_renamed(places, viewer, browse_as, edit, rename):
    client, made = browse_as(viewer), edit("KDEN", name="Denver Intl")
    say(client, made, "Ask the tower.", **about())
    renamed = rename("KDEN", "KDXX")

    page, renaming = row_of(client, made), row_of(client, renamed)

    assert "<ins>Denver Intl</ins>" in page
    assert "Ask the tower." in page
    assert 'href="/admin/airports/airport/KDXX/change/"' in page
    assert "was <code>KDEN</code>" in renaming


def test_a_row_of_a_model_without_a_stable_key_has_a_page(viewer, browse_as):
    with changeset(kind="edit", actor=None) as made:
        operator = Operator.objects.create(code="DB", name="Deutsche Bahn")

    assert "Deutsche Bahn" in row_of(browse_as(viewer), made, f"second_domain.operator/pk:{operator.pk}")


@pytest.mark.parametrize(
    "where",
    [
        "airports.airport/id:1",
        "airports.airport/id:x",
        f"airports.airport/id:{'9' * 30}",
        "airports.airport/KDEN",
        "base.city/id:1",
        "auth.user/pk:1",
        "nothing/pk:1",
    ],
)
def test_what_the_changeset_did_not_touch_has_no_page(places, viewer, browse_as, where):
    client, (model, key) = browse_as(viewer), where.split("/")

    assert client.get(f"{LIST}{places['import'].pk}/row/{where}/").status_code == 404
    assert say(client, places["import"], "hello", **about(key, model)).status_code == 404
    assert not Comment.objects.exists()


def test_objects_that_a_person_may_not_see_are_not_talked_about(places, viewer, browse_as, only):
    say(browse_as(viewer), places["import"], "Its elevation is in metres.", **about())
    client = only("view_changeset", "view_city")

    page = client.get(f"{LIST}{places['import'].pk}/change/").content.decode()

    assert "elevation is" not in page
    assert "Denver International" not in page
    assert client.get(f"{LIST}{places['import'].pk}/row/{DENVER}/").status_code == 403
    assert say(client, places["import"], "x", **about()).status_code == 403


def test_who_may_not_view_changesets_says_nothing(places, only):
    assert say(only("view_airport"), places["import"], "x").status_code == 403
    assert not Comment.objects.exists()


def test_the_author_is_who_is_logged_in_whatever_the_form_says(places, viewer, steward, browse_as):
    say(browse_as(viewer), places["import"], "hello", author=steward.pk, author_name="stan")

    assert Comment.objects.get().author == viewer


def test_the_name_of_who_said_it_outlives_the_user(places, viewer, steward, browse_as):
    say(browse_as(viewer), places["import"], "hello")
    viewer.delete()

    page = browse_as(steward).get(f"{LIST}{places['import'].pk}/change/").content.decode()

    assert '<p class="quiet">vera, ' in page


def test_a_long_thread_shows_its_end_and_counts_beside_rows_all_the_same(places, viewer, browse_as):
    made = places["import"]
    one = {"changeset": made, "author": viewer, "author_name": "vera"}
    Comment.objects.bulk_create(Comment(text=f"Word {number}.", **one) for number in range(99))
    on_it = {"model": "airports.airport", "object_key": "id:3486", "object_name": "KDEN"}
    Comment.objects.bulk_create(Comment(text="Row.", **one, **on_it) for _ in range(2))
    Comment.objects.create(text="End.", **one)

    page = browse_as(viewer).get(f"{LIST}{made.pk}/change/").content.decode()

    assert "2 earlier comments not shown." in page
    assert "Word 1." not in page
    assert "Word 2." in page
    assert ">\n          2 comments</a>" in page


def test_comments_cost_few_queries(places, viewer, browse_as, django_assert_max_num_queries):
    client, made = browse_as(viewer), places["import"]
    client.get(f"{LIST}{made.pk}/change/")
    with django_assert_max_num_queries(100) as before:
        client.get(f"{LIST}{made.pk}/change/")
    for _ in range(20):
        Comment.objects.create(changeset=made, text="x", author=viewer, author_name="vera")

    with django_assert_max_num_queries(len(before)):
        client.get(f"{LIST}{made.pk}/change/")


def test_a_pruned_changeset_still_shows_what_was_said_of_a_row(places, viewer, browse_as):
    client, made = browse_as(viewer), places["import"]
    say(client, made, "Its elevation is in metres.", **about())
    type(made).objects.filter(pk=made.pk).update(pruned_at=made.created_at)

    page = row_of(client, made)

    assert "was pruned" in page
    assert "Its elevation is in metres." in page


def test_what_came_and_went_within_a_changeset_is_no_row(viewer, browse_as, places):
    with changeset(kind="edit", actor=None) as made:
        city = City.objects.create(country=places["usa"], name="Boulder")
        gone = City.objects.create(country=places["usa"], name="Nowhere")
        number = gone.pk
        gone.delete()
    client = browse_as(viewer)

    assert client.get(f"{LIST}{made.pk}/row/base.city/pk:{number}/").status_code == 404
    assert client.get(f"{LIST}{made.pk}/row/base.city/pk:{city.pk}/").status_code == 200
