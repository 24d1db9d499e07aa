"""The options of import_airports, and what it prints."""

import json
from contextlib import nullcontext

import pytest
from django.core.management import CommandError, call_command

from apps.airports.columns import URL
from apps.airports.models import Airport
from apps.base.models import City, Country
from apps.changesets.models import Changeset
from apps.imports.reading.sources import from_path

pytestmark = pytest.mark.django_db

JSON_KEYS = [
    *("changeset", "total", "created", "updated", "renamed", "unchanged", "skipped", "refused", "kept", "missing"),
    *("country_links", "countries_created", "city_links", "cities_created", "cells_refused"),
    *("disputed", "corrections", "duration_s", "unusual", "same_file", "takes_back", "run"),
]


def test_json_has_exactly_the_promised_keys(import_file):
    assert list(import_file({})) == JSON_KEYS


def test_dry_run_counts_and_writes_nothing(import_file):
    result = import_file({}, {"municipality": ""}, options=("--dry-run",))

    assert (result["changeset"], result["created"], result["country_links"], result["city_links"]) == (None, 2, 2, 1)
    assert (result["countries_created"], result["cities_created"]) == (1, 1)
    assert not Airport.objects.exists()
    assert not Country.objects.exists()
    assert not Changeset.objects.filter(kind="import").exists()


def test_dry_run_counts_what_the_import_then_does(import_file):
    rows = [{}, {"municipality": "Aurora"}, {"municipality": "aurora"}, {"iso_country": "CH"}]
    planned = import_file(*rows, options=("--dry-run",))

    done = import_file(*rows)

    same = [key for key in JSON_KEYS if key not in ("changeset", "duration_s", "run")]
    assert [planned[key] for key in same] == [done[key] for key in same]


def test_filter_iata_leaves_rows_without_a_code_out(import_file):
    result = import_file({}, {"iata_code": ""}, options=("--filter-iata",))

    assert (result["total"], result["created"], result["skipped"]) == (2, 1, 1)


def test_country_leaves_other_countries_out(import_file):
    result = import_file({}, {"iso_country": "CH"}, options=("--country", "ch"))

    assert (result["created"], result["skipped"]) == (1, 1)
    assert Airport.objects.get().iso_country == "CH"


def test_limit_takes_the_first_rows(import_file):
    result = import_file({}, {}, {}, options=("--limit", "2"))

    assert (result["total"], result["created"], result["skipped"]) == (3, 2, 1)


def test_rows_left_out_are_not_missing(import_file):
    import_file({}, {"iata_code": ""})

    assert import_file({}, {"iata_code": ""}, options=("--filter-iata",))["missing"] == 0


def test_strict_refuses_the_whole_file(import_file):
    with pytest.raises(CommandError, match=r"Refused rows: 1; .* The first: line 3, type: '\?': unknown airport type"):
        import_file({}, {"type": "?"}, options=("--strict",))

    assert not Airport.objects.exists()


def test_skip_city_link_links_countries_only(import_file):
    result = import_file({}, options=("--skip-city-link",))

    assert (result["country_links"], result["city_links"], City.objects.count()) == (1, 0, 0)


@pytest.mark.parametrize("code", ["CHE", "QQ"])
def test_a_country_that_there_is_not_is_refused(import_file, code):
    with pytest.raises(CommandError, match=f"--country {code} is no country") as caught:
        import_file({}, options=("--country", code))

    assert caught.value.returncode == 1


def test_skip_country_link_links_nothing(import_file):
    result = import_file({}, options=("--skip-country-link",))

    assert (result["country_links"], result["city_links"], Country.objects.count()) == (0, 0, 0)


def test_missing_deactivate_closes_what_is_gone_and_it_comes_back_with_the_file(import_file):
    import_file({}, {})

    result = import_file({}, options=("--missing", "deactivate"))
    assert result["missing"] == 1
    assert Airport.objects.get(ident="K002").active is False
    assert import_file({}, options=("--missing", "deactivate"))["changeset"] is None

    import_file({}, {})
    assert Airport.objects.get(ident="K002").active is True


def test_missing_delete_deletes_what_is_gone_but_nothing_made_by_hand(import_file):
    import_file({}, {})
    Airport.objects.create(ident="HAND", name="By hand", airport_type="small_airport")

    result = import_file({}, options=("--missing", "delete"))

    assert result["missing"] == 1
    assert set(Airport.objects.values_list("ident", flat=True)) == {"K001", "HAND"}


@pytest.mark.parametrize("options", [("--limit", "1"), ("--country", "US"), ("--filter-iata",)])
def test_missing_is_refused_together_with_a_filter(import_file, options):
    with pytest.raises(CommandError, match="leave out the filters") as caught:
        import_file({}, options=("--missing", "delete", *options))

    assert caught.value.returncode == 2


def test_reason_and_file_are_remembered(import_file):
    pk = import_file({}, options=("--reason", "monthly update"))["changeset"]

    changeset = Changeset.objects.get(pk=pk)
    assert (changeset.kind, changeset.reason, changeset.source_name) == ("import", "monthly update", "airports-1.csv")
    assert len(changeset.source_sha256) == 64
    assert changeset.source_size > 0


@pytest.mark.parametrize("arguments", [["--bundled", "--url"], ["--bundled", "--limit", "0"]])
def test_wrong_usage_is_told_apart(arguments):
    with pytest.raises(CommandError):
        call_command("import_airports", *arguments)


def test_without_a_source_the_file_comes_from_ourairports(airports_file, monkeypatch, capsys):
    asked = []

    def from_url(address):
        asked.append(address)
        return nullcontext(from_path(airports_file({})))

    monkeypatch.setattr("apps.airports.management.importing.from_url", from_url)

    call_command("import_airports")

    assert asked == [URL]
    assert Airport.objects.count() == 1


def test_people_read_counts_refusals_and_what_to_do_next(airports_file, capsys):
    call_command("import_airports", "--file", str(airports_file({}, {"latitude_deg": "39,86"})))

    said = capsys.readouterr().out
    assert "created" in said
    assert "line 3, latitude_deg: '39,86': write 39.86 with a point" in said
    assert "manage.py changesets revert" in said


def test_failure_leaves_nothing_but_a_failed_changeset(import_file, monkeypatch):
    from apps.imports.plan import write as applying

    def fail(*args):
        raise RuntimeError("power cut")

    monkeypatch.setattr(applying, "_insert", fail)
    with pytest.raises(RuntimeError):
        import_file({})

    assert not Airport.objects.exists()
    assert not Country.objects.exists()


def test_what_changed_since_the_plan_is_skipped_and_listed(airports_file):
    from apps.airports.columns import OURAIRPORTS
    from apps.imports.plan.apply import apply_import
    from apps.imports.plan.plan import plan_import
    from apps.imports.reading.sources import from_path

    call_command("import_airports", "--file", str(airports_file({})), "--json")
    plan = plan_import(from_path(airports_file({"name": "New"}, {})), spec=OURAIRPORTS)
    Airport.objects.update(name="Corrected meanwhile")

    changeset = apply_import(plan, actor=None)

    assert Airport.objects.get(pk="K001").name == "Corrected meanwhile"
    counts = changeset.summary["counts"]
    assert (counts["created"], counts["updated"], counts["skipped"], counts["left_alone"]) == (1, 0, 1, 1)
    why = "somebody changed it after the plan was made"
    assert changeset.summary["left_alone"] == [{"line": 2, "object_id": "K001", "why": why}]


def test_a_plan_is_applied_once(airports_file):
    from apps.airports.columns import OURAIRPORTS
    from apps.imports.errors import PlanIsGone
    from apps.imports.plan.apply import apply_import
    from apps.imports.plan.plan import plan_import
    from apps.imports.reading.sources import from_path

    plan = plan_import(from_path(airports_file({})), spec=OURAIRPORTS)
    apply_import(plan, actor=None)

    with pytest.raises(PlanIsGone):
        apply_import(plan, actor=None)


def test_json_is_one_line(airports_file, capsys):
    call_command("import_airports", "--file", str(airports_file({})), "--json")

    assert json.loads(capsys.readouterr().out)["created"] == 1


def test_database_error_is_one_sentence(airports_file, monkeypatch):
    from django.db import OperationalError

    from apps.imports.plan import plan as planning

    def fail(*args, **options):
        raise OperationalError("no such table: airports_airport\nDETAIL: none")

    monkeypatch.setattr(planning, "cursor_now", fail)
    with pytest.raises(
        CommandError, match=r"migrate`\. The database says: no such table: airports_airport DETAIL: none\.$"
    ):
        call_command("import_airports", "--file", str(airports_file({})))
