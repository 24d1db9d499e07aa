"""Reviews and names of direct writes, on the pages."""

import pytest

from apps.airports.models import Airport
from apps.changesets.models import Changeset

pytestmark = pytest.mark.django_db
LIST = "/admin/changesets/changeset/"


def test_a_changeset_is_marked_reviewed_with_a_comment(places, steward, browse_as):
    address = f"{LIST}{places['import'].pk}/"

    page = browse_as(steward).post(f"{address}review/", {"comment": "looks right"}, follow=True).content.decode()

    assert "#1 Import is marked as reviewed." in page.replace(f"#{places['import'].pk} ", "#1 ")
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
