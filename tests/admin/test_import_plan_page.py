"""The plan of an import in the admin: counts first, then the rows by bucket, field and text, a page at a time."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.imports.models import ImportRun, PlannedRow, RefusedCell, RowKind
from apps.imports.results import ImportOptions
from tests.admin.runs import IMPORTS, make_run, page, plan_rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(places, operator) -> ImportRun:
    made = make_run(operator)
    plan_rows(made)
    return made


def shown(response) -> list[str]:
    return [row.row.new_pk for row in response.context["rows"]]


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


def test_the_counts_come_first_in_sentences(run, operator, browse_as):
    lines = [(line.number, line.words) for line in page(browse_as(operator), run).context["lines"]]

    assert lines == [
        (2, "airports are new"),
        (1, "of them was deleted here and comes back"),
        (3, "airports change"),
        (1, "of them gets another ident"),
        (1, "airport keeps a correction made here"),
        (2, "airports are not in the file"),
        (1, "of them will be deleted, since another one gets its ident"),
        (1, "of them stays as it is"),
        (1, "airport is as the file says already"),
        (1, "row is refused"),
        (2, "links to a country will be made"),
        (1, "country will be added, to link to"),
    ]


@pytest.mark.parametrize(
    ("query", "idents"),
    [
        ({"bucket": "new"}, ["EDDF", "EDDT"]),
        ({"bucket": "changed"}, ["EDDM", "KBKX", "KDEN"]),
        ({"bucket": "renamed"}, ["KBKX"]),
        ({"bucket": "kept"}, ["KDEN"]),
        ({"bucket": "unchanged"}, ["LSZH"]),
        ({"bucket": "refused"}, ["XX01"]),
        ({"bucket": "missing"}, ["OLD1", "OLD2"]),
        ({"bucket": "superseded"}, ["OLD2"]),
        ({"bucket": "deleted-here"}, ["EDDT"]),
        ({"bucket": "left-alone"}, []),
        ({"bucket": "changed", "field": "elevation_ft"}, ["EDDM"]),
        ({"bucket": "kept", "field": "name"}, ["KDEN"]),
        ({"bucket": "refused", "field": "latitude_deg"}, ["XX01"]),
        ({"bucket": "refused", "field": "ident"}, []),
        ({"bucket": "changed", "q": "munich"}, ["EDDM"]),
        ({"bucket": "changed", "q": "kbk"}, ["KBKX"]),
        ({"bucket": "refused", "q": "line 8"}, ["XX01"]),
        ({"bucket": "nonsense", "start": "-5"}, ["XX01"]),
        ({"bucket": "changed", "start": "9" * 30}, ["EDDM", "KBKX", "KDEN"]),
        ({"bucket": "changed", "start": "5000"}, ["EDDM", "KBKX", "KDEN"]),
    ],
)
def test_rows_are_filtered_in_the_address(run, operator, browse_as, query, idents):
    assert shown(page(browse_as(operator), run, **query)) == idents


def test_a_changed_row_says_what_it_is_and_what_it_becomes(run, operator, browse_as):
    text = text_of(page(browse_as(operator), run, bucket="changed", field="elevation_ft"))

    assert '<a href="/admin/airports/airport/EDDM/change/">Munich Airport</a> <code>EDDM</code>' in text
    assert "<del>1487</del>" in text
    assert "<ins>1486</ins>" in text


def test_a_kept_row_names_all_three_values_and_who_corrected_it(run, edit, steward, operator, browse_as):
    made = edit("KDEN", actor=steward, reason="as signed", name="Denver by hand")

    text = text_of(page(browse_as(operator), run, bucket="kept"))

    assert "ours <ins>Denver by hand</ins>" in text
    assert f'by stan <a href="/admin/changesets/changeset/{made.pk}/change/">#{made.pk}</a>' in text
    assert "theirs Denver Intl" in text
    assert "(before: Denver International Airport)" in text


def test_a_refused_row_says_line_column_value_rule_and_hint(run, operator, browse_as):
    text = text_of(page(browse_as(operator), run, bucket="refused"))

    assert "line 8" in text
    assert (
        '<span class="field">latitude_deg</span> <del>91</del> more than 90 degrees '
        '<span class="quiet">(too_large)</span>'
    ) in text


def test_columns_that_are_not_taken_are_named(run, operator, browse_as):
    response = page(browse_as(operator), run)

    assert response.context["not_taken"] == ["home_link"]
    assert "iata_code" in response.context["taken"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (ImportOptions(), "of them stays as it is"),
        (ImportOptions(missing="deactivate"), "of them will be deactivated"),
        (ImportOptions(missing="delete"), "of them will be deleted"),
    ],
)
def test_it_says_what_becomes_of_missing_ones(run, operator, browse_as, options, sentence):
    run.options = options.as_json()
    run.save()

    assert sentence in text_of(page(browse_as(operator), run))


def test_a_plan_without_changes_says_so_and_offers_nothing_to_confirm(operator, browse_as):
    run = make_run(operator, counts={"total": 3, "unchanged": 3})

    text = text_of(page(browse_as(operator), run))

    assert "Nothing to change" in text
    assert "The data is already the same as in the file." in text
    assert "/confirm/" not in text


def test_a_plan_of_refused_rows_only_says_to_mend_them(operator, browse_as):
    run = make_run(operator, counts={"total": 1, "refused": 1})

    assert "No row of the file can be imported: correct the refused rows" in text_of(page(browse_as(operator), run))


def many_rows(run: ImportRun) -> None:
    """Store a plan of 85,009 rows in one statement: one by one they would take longer than all other tests here."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO imports_plannedrow (run_id, line, kind, renamed, kept, deleted_here, superseded, old_pk,
                "new_pk", label, changes, kept_values, payload, decision, decided_by_name, left_alone)
            WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 85008)
            SELECT %s, i + 2, CASE WHEN i < 34672 THEN 'changed' ELSE 'unchanged' END, FALSE, i < 100, FALSE, FALSE,
                'KDEN', 'K' || i, 'An airport with a middling name, number ' || i,
                CASE WHEN i < 34672 THEN {json} END, CASE WHEN i < 100 THEN {json} END, {json}, '', '', ''
            FROM n
            """.replace("{json}", "CAST(%s AS jsonb)" if connection.vendor == "postgresql" else "%s"),
            [
                run.pk,
                '{"name": ["The name that it had before", "The name that it gets"]}',
                '{"name": ["The name upstream had", "The name upstream has", "A name by hand"]}',
                '{"values": {}, "links": {}, "upstream": null}',
            ],
        )


def test_a_page_of_a_large_plan_is_small_and_takes_few_queries(places, operator, browse_as):
    run = make_run(operator, counts={"total": 85009, "updated": 34672, "unchanged": 50337, "kept": 100})
    many_rows(run)
    client = browse_as(operator)

    for query in ({}, {"bucket": "unchanged"}, {"bucket": "changed", "start": "30000"}):
        with CaptureQueriesContext(connection) as captured:
            response = page(client, run, **query)

        assert len(response.context["rows"]) == 100
        assert len(response.content) < 200_000
        assert len(captured) <= 15


def test_pages_lead_on_and_back(operator, browse_as):
    run = make_run(operator, counts={"total": 250, "unchanged": 250})
    PlannedRow.objects.bulk_create(
        PlannedRow(run=run, line=number, kind=RowKind.UNCHANGED, new_pk=f"K{number}") for number in range(250)
    )
    client = browse_as(operator)

    first = page(client, run)
    second = client.get(f"{IMPORTS}{run.pk}/change/{first.context['after']}")
    third = client.get(f"{IMPORTS}{run.pk}/change/{second.context['after']}")

    assert (first.context["before"], shown(first)[0], shown(first)[-1]) == ("", "K0", "K99")
    assert (shown(second)[0], shown(second)[-1]) == ("K100", "K199")
    assert (shown(third)[0], shown(third)[-1], third.context["after"]) == ("K200", "K249", "")
    assert second.context["before"] == "?bucket=unchanged"


def test_the_plan_page_has_no_inline_script_or_style(run, operator, browse_as):
    text = page(browse_as(operator), run).content.decode()

    assert "<style" not in text
    assert " style=" not in text
    assert " onclick=" not in text


def test_a_refused_cell_stands_among_the_refused_with_line_column_value_and_why(run, operator, browse_as):
    RefusedCell.objects.create(run=run, line=4, column="elevation_ft", value="high", rule="no_number", hint="no number")
    run.counts = {**run.counts, "cells_refused": 1}
    run.save()

    response = page(browse_as(operator), run, bucket="refused")

    assert shown(response) == ["EDDM", "XX01"]
    assert "line 4" in text_of(response)
    assert '<span class="field">elevation_ft</span> <del>high</del> no number' in text_of(response)
    assert ("Refused", 2) in [(word, number) for _sign, word, number, *_rest in response.context["buckets"]]


@pytest.fixture
def moves(run) -> ImportRun:
    PlannedRow.objects.filter(run=run, new_pk="EDDM").update(moved_km=0.05, slight=True)
    PlannedRow.objects.filter(run=run, new_pk="KDEN").update(moved_km=0.4)
    PlannedRow.objects.filter(run=run, new_pk="KBKX").update(moved_km=512.3)
    run.summary = {**(run.summary or {}), "figures": {"moved": 2, "slight": 1, "farthest_km": 512.3, "fields": {}}}
    run.save()
    return run


def test_what_moves_is_listed_the_farthest_first(moves, operator, browse_as):
    response = page(browse_as(operator), moves, bucket="moved")

    assert shown(response) == ["KBKX", "KDEN"]
    assert "of them move 100 m or more, the farthest 512 km" in text_of(response)
    assert "moved 512 km" in text_of(response)


def test_slight_moves_are_hidden(moves, operator, browse_as):
    client = browse_as(operator)

    assert "1 row does nothing except move by less than 100 m" in text_of(page(client, moves, bucket="changed"))
    assert shown(page(client, moves, bucket="changed", far="1")) == ["KBKX", "KDEN"]


def test_links_lead_to_the_rows_that_make_them(run, operator, browse_as):
    PlannedRow.objects.filter(run=run, new_pk="EDDF").update(payload={"values": {}, "links": {"city": True}})
    client = browse_as(operator)

    assert shown(page(client, run, bucket="written", link="city")) == ["EDDF"]
    assert shown(page(client, run, bucket="written", link="isnull")) == []


def test_a_finding_leads_to_the_rows_that_would_have_it(run, operator, browse_as):
    noted = {"today": 0, "then": 1, "keys": ["EDDM"]}
    run.summary = {
        "checks": {"findings": {"iata_zero": noted}, "places": {"cities_created": [{"name": "A", "line": 2}]}}
    }
    run.counts = {**run.counts, "cities_created": 1}
    run.save()
    response = page(browse_as(operator), run, bucket="written", check="iata_zero")

    assert shown(response) == ["EDDM"]
    assert 'href="?bucket=written&amp;check=iata_zero#rows-title"' in text_of(response)
    assert 'href="#cities_created">city will be added' in text_of(response)
    assert '<details class="bucket" id="cities_created">' in text_of(response)


def test_what_is_unusual_is_said_with_its_figures(run, operator, browse_as):
    share = {"name": "field:elevation_ft", "number": 31, "share": 31.0, "lowest": 0.0, "highest": 2.0}
    back = {"number": 50, "of": 51, "run": 7, "changeset": 7}
    run.summary = {"earlier": {"compared": 3, "unusual": [share], "same_file": 5, "takes_back": back}}
    run.save()

    text = text_of(page(browse_as(operator), run))

    assert "<strong>31.0 %</strong>" in text
    assert "of the airports that are here change in elevation (ft)</a>" in text
    assert "31; before 0 to 2 %" in text
    assert "50 of 51 changed objects would get their upstream values back from before" in text
    assert f'<a href="{IMPORTS}5/change/">import 5</a> imported the same file' in text
