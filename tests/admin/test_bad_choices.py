"""What is posted as a link and is no key, to every form with a field that completes what is typed."""

import pytest

pytestmark = pytest.mark.django_db
NO_KEYS = ("abc'", "1.5", "9" * 30, "-" + "9" * 30, "1 OR 1=1", "ü" * 300, "0")
LINKS = {
    ("airports", "airport"): ("city", "country"),
    ("base", "city"): ("country",),
    ("second_domain", "station"): ("operator",),
}


@pytest.mark.parametrize("value", NO_KEYS)
@pytest.mark.parametrize("model", LINKS)
def test_a_link_that_is_no_key_gives_the_form_again_with_one_sentence(model, value, admin_client):
    page = admin_client.post("/admin/{}/{}/add/".format(*model), dict.fromkeys(LINKS[model], value))

    assert page.status_code == 200
    errors = page.context["adminform"].form.errors
    assert [len(errors[field]) for field in LINKS[model]] == [1] * len(LINKS[model])


@pytest.mark.parametrize("value", NO_KEYS)
def test_a_filter_by_a_link_that_is_no_key_gives_the_list_without_it(value, admin_client):
    for address, link in (("airports/airport", "country"), ("base/city", "country"), ("airports/airport", "city")):
        page = admin_client.get(f"/admin/{address}/", {f"{link}__id__exact": value}, follow=True)

        assert page.status_code == 200
