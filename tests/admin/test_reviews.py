"""Reviews and names of direct writes, on the pages."""

import pytest

from apps.airports.models import Airport
from apps.changesets.models import Changeset

pytestmark = pytest.mark.django_db
LIST = "/admin/changesets/changeset/"


def test_a_changeset_is_marked_reviewed_with_a_comment(places, steward, browse_as):
    address = f"{LIST}{places['import'].pk}/"

    page = browse_as(steward).post(f"{address}review/", {"comment": "looks right"}, follow=True).content.decode()

    assert "#1 Import is marked as reviewed: fine." in page.replace(f"#{places['import'].pk} ", "#1 ")
    assert "Reviewed by Stan" in page
    assert "looks right" in page


def test_reviewing_twice_is_said(places, steward, make_person, browse_as):
    address = f"{LIST}{places['import'].pk}/"
    browse_as(make_person("sue", group="steward")).post(f"{address}review/")

    page = browse_as(steward).post(f"{address}review/", {"comment": "mine"}, follow=True).content.decode()

    assert "was reviewed by sue already." in page
    assert Changeset.objects.get(pk=places["import"].pk).reviewed_by_name == "sue"


def test_a_review_is_taken_back(places, steward, browse_as):
    address, client = f"{LIST}{places['import'].pk}/", browse_as(steward)
    client.post(f"{address}review/")

    page = client.post(f"{address}unreview/", follow=True).content.decode()

    assert "is not reviewed any more." in page
    assert "Mark as reviewed" in page


def test_the_list_counts_and_filters_what_is_not_reviewed(places, steward, browse_as, edit):
    client, made = browse_as(steward), edit("KDEN", name="x")
    client.post(f"{LIST}{places['import'].pk}/review/")

    page = client.get(LIST, {"reviewed": "no"})

    assert "Not reviewed (1)" in page.content.decode()
    assert [one.pk for one in page.context["cl"].result_list] == [made.pk]
    assert [one.pk for one in client.get(LIST, {"reviewed": "yes"}).context["cl"].result_list] == [places["import"].pk]


def test_a_viewer_sees_the_review_and_no_form(places, viewer, steward, browse_as):
    address = f"{LIST}{places['import'].pk}/"
    browse_as(steward).post(f"{address}review/", {"comment": "looks right"})

    page = browse_as(viewer).get(f"{address}change/").content.decode()

    assert "Reviewed by Stan" in page
    assert "Withdraw the review" not in page


def test_a_direct_write_is_named_afterwards(places, steward, browse_as):
    Airport.objects.filter(pk="KDEN").update(name="by SQL")
    direct = Changeset.objects.get(kind="direct")
    posted = {"reason": "hotfix of the night", "who": "Ana"}

    page = browse_as(steward).post(f"{LIST}{direct.pk}/name/", posted, follow=True).content.decode()

    assert f"#{direct.pk} Direct write has a reason now." in page
    assert "hotfix of the night (done by Ana, said by stan)" in page
    assert "Last named by stan." in page


def test_a_name_needs_a_reason(places, steward, browse_as):
    Airport.objects.filter(pk="KDEN").update(name="by SQL")
    direct = Changeset.objects.get(kind="direct")

    page = browse_as(steward).post(f"{LIST}{direct.pk}/name/", {"who": "Ana"}, follow=True).content.decode()

    assert "Say why it was done." in page
    assert Changeset.objects.get(pk=direct.pk).reason == ""


def test_an_unknown_changeset_leads_to_the_list_with_a_sentence(steward, browse_as):
    page = browse_as(steward).post(f"{LIST}4711/review/", follow=True)

    assert page.redirect_chain == [(LIST, 302)]
    assert "There is no changeset #4711" in page.content.decode()


def test_a_verdict_is_shown_wherever_the_review_is(places, steward, browse_as):
    client, address = browse_as(steward), f"{LIST}{places['import'].pk}/"

    told = client.post(f"{address}review/", {"verdict": "harmful"}, follow=True).content.decode()

    assert f"#{places['import'].pk} Import is marked as reviewed: harmful." in told
    for page in (told, client.get(LIST).content.decode(), client.get("/admin/").content.decode()):
        assert 'verdict-harmful" title="reviewed by stan"><b aria-hidden="true">!</b> harmful</span>' in page


def test_a_wrong_verdict_is_refused(places, steward, browse_as):
    page = browse_as(steward).post(f"{LIST}{places['import'].pk}/review/", {"verdict": "great"}, follow=True)

    assert "Choose one of these: fine, questionable or harmful." in page.content.decode()
    assert Changeset.objects.get(pk=places["import"].pk).reviewed_at is None


def test_the_list_is_filtered_by_verdict(places, steward, browse_as, edit):
    client, made = browse_as(steward), edit("KDEN", name="x")
    client.post(f"{LIST}{places['import'].pk}/review/", {"verdict": "harmful"})
    client.post(f"{LIST}{made.pk}/review/")

    listed = {
        wanted: [one.pk for one in client.get(LIST, {"reviewed": wanted}).context["cl"].result_list]
        for wanted in ("fine", "questionable", "harmful")
    }

    assert listed == {"fine": [made.pk], "questionable": [], "harmful": [places["import"].pk]}


def test_a_verdict_leads_on_to_the_next_that_is_not_reviewed(places, steward, browse_as, edit):
    client, own, made = browse_as(steward), edit("KBKF", actor=steward, name="x"), edit("KDEN", name="x")

    first = client.post(f"{LIST}{made.pk}/review/", follow=True).content.decode()
    last = client.post(f"{LIST}{places['import'].pk}/review/", follow=True).content.decode()

    assert f'Next not reviewed: <a href="{LIST}{places["import"].pk}/change/">' in first
    assert "No other changeset waits for your review." in last
    assert own.reviewed_at is None


def test_who_made_a_changeset_is_told_that_somebody_else_reviews_it(steward, places, browse_as, edit):
    client, own = browse_as(steward), edit("KBKF", actor=steward, name="x")

    page = client.get(f"{LIST}{own.pk}/change/").content.decode()
    told = client.post(f"{LIST}{own.pk}/review/", follow=True).content.decode()

    assert "You made it yourself, so somebody else has to review it." in page
    assert "Mark as reviewed" not in page
    assert f"You made #{own.pk} Edit yourself: somebody else has to review it." in told
    assert Changeset.objects.get(pk=own.pk).reviewed_at is None


def test_a_harmful_changeset_waits_for_who_may_revert_until_it_is_reverted(places, steward, browse_as, edit):
    client, made = browse_as(steward), edit("KDEN", name="x")
    client.post(f"{LIST}{made.pk}/review/", {"verdict": "harmful"})

    page = client.get("/admin/").content.decode()
    Changeset.objects.filter(pk=made.pk).update(status="reverted")

    assert "1 changeset found harmful" in page
    assert "found harmful" not in client.get("/admin/").content.decode()
