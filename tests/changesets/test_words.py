"""Numbers, values and parts in words: one place for each, the same in sentences and on pages."""

import pytest
from django.template import engines

from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.fields import field_of
from apps.changesets.history.values import field_label, in_words, names_of, value_label
from apps.changesets.text import counted, plural


def rendered(text: str, **context: object) -> str:
    """Return what a template with the console's tags shows."""
    return " ".join(engines["django"].from_string("{% load console changes %}" + text).render(context).split())


@pytest.mark.parametrize(
    ("number", "words", "told"),
    [
        (1, ("row",), "1 row"),
        (0, ("row",), "0 rows"),
        (1204, (Airport,), "1,204 airports"),
        (1, (City._meta,), "1 city"),
        (2, ("row was", "rows were"), "2 rows were"),
    ],
)
def test_a_number_of_things_has_the_word_that_fits(number, words, told):
    assert counted(number, *words) == told
    assert told == f"{number:,} {plural(number, *words)}"


def test_pages_count_as_sentences_do():
    assert rendered('{{ n|counted:"row" }}, {{ n|plural:"is,are" }}, {{ n|counted:model }}', n=3, model=Country) == (
        "3 rows, are, 3 countries"
    )


@pytest.mark.parametrize(("value", "words"), [(None, "empty"), ("", "empty"), (True, "yes"), (False, "no"), (0, "0")])
def test_what_is_empty_or_true_is_said_in_words(value, words):
    assert in_words(value) == words


def test_a_value_is_called_by_its_word_its_target_or_itself():
    kind, country = field_of(Airport, "airport_type"), field_of(Airport, "country")

    assert value_label(kind, "small_airport") == "Small airport"
    assert value_label(kind, "spaceport") == "spaceport"
    assert value_label(country, "DE", {"DE": "Germany"}) == "Germany"
    assert value_label(country, "XX", {"DE": "Germany"}) == "#XX"
    assert value_label(country, None) is None


def test_a_name_that_is_no_field_can_be_read():
    assert field_label(Airport, "elevation_ft") == "elevation (ft)"
    assert field_label(Airport, "home_link") == "home link"


@pytest.mark.django_db
def test_what_is_gone_is_named_from_its_history():
    there = Country.objects.create(iso_code="DE", name="Germany")
    gone = Country.objects.create(iso_code="FR", name="France")
    key = gone.pk
    gone.delete()

    assert names_of(Country, [there.pk, key, None]) == {there.pk: "Germany (DE)", key: "France (FR) (deleted)"}


def test_names_of_a_file_stand_with_commas_and_are_cut_where_there_are_many():
    assert rendered("{{ names|codes }}", names=["id", "<b>"]) == "<code>id</code>, <code>&lt;b&gt;</code>"
    assert rendered("{{ names|codes:1 }}", names=["a" * 60, "b"]) == f"<code>{'a' * 39}…</code> and 1 more"


def test_a_callout_escapes_what_it_is_told():
    shown = rendered('{% callout sign="!" refused=True %}{{ who }} <a href="/">out</a>{% endcallout %}', who="<i>")

    assert shown == '<div class="callout callout-refused"> <b>!</b> &lt;i&gt; <a href="/">out</a> </div>'
