"""Disputed rows on the page of a plan: both objects side by side, and a decision for some rows or all of a filter."""

import pytest

from apps.airports.models import Airport
from apps.imports.models import ImportRun
from tests.admin.runs import act, page, told
from tests.imports.files import airports_file, import_file  # noqa: F401
from tests.imports.runs import confirmed_and_applied, opened, planned  # noqa: F401
from tests.imports.test_disputed import DENVER, FOREIGN, QUITO, ZURICH

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(import_file, planned, operator) -> ImportRun:  # noqa: F811
    import_file(DENVER, ZURICH, QUITO)
    return planned(FOREIGN, {**QUITO, "name": "Quito 2"}, actor=operator)


def test_the_page_shows_the_row_beside_both_airports(run, operator, browse_as):
    text = page(browse_as(operator), run).content.decode()

    assert "of them is disputed: the keys name another object than the values do" in text
    assert 'by its id:\n      <a href="/admin/airports/airport/KDEN/change/">Denver</a>' in text
    assert 'by its ident:\n      <a href="/admin/airports/airport/LSZH/change/">Zurich</a>' in text
    assert "<td>8,282 km</td><td>0 m</td>" in text
    assert ">The id counts</button>" in text
    assert ">The ident counts</button>" in text


def test_all_rows_that_the_page_asks_for_are_decided_about(run, operator, browse_as):
    response = act(
        browse_as(operator), run, "decide", bucket="disputed", every=run.summary["planned_at"], decision="ident"
    )

    assert told(response) == ["1 row goes by its other keys."]
    assert run.rows.get(disputed__isnull=False).decision == "ident"
    assert "<b>Decided:</b> its ident counts" in page(browse_as(operator), run).content.decode()


def test_what_is_not_disputed_has_no_key_to_count(run, operator, browse_as):
    other = run.rows.get(disputed__isnull=True)

    response = act(browse_as(operator), run, "decide", tick=other.pk, decision="ident")

    assert told(response) == ["1 ticked row has nothing to decide like this."]


def test_what_is_decided_is_what_is_imported(run, operator, browse_as, confirmed_and_applied):  # noqa: F811
    act(browse_as(operator), run, "decide", tick=run.rows.get(disputed__isnull=False).pk, decision="ident")
    run.refresh_from_db()

    confirmed_and_applied(run)

    assert Airport.objects.get(pk="LSZH").elevation_ft == 1416
