"""A stored plan with disputed rows: what a person decides about them, and what applying does then."""

import pytest

from apps.airports.models import Airport
from apps.changesets.recording.audit import find_drift
from apps.imports.models import Decision, ImportRun, RowKind, RunStatus
from apps.imports.results import ImportOptions
from apps.imports.runs.confirming import why_not_confirm
from apps.imports.runs.engine import apply_run
from apps.imports.runs.rows import Bucket, Wanted, bucket_counts, changes_of, decide, rows_of
from tests.imports.runs import put

DENVER = {"id": "1", "ident": "KDEN", "name": "Denver"}
_SWISS = {"iso_country": "CH", "iso_region": "CH-ZH", "latitude_deg": "47.458", "longitude_deg": "8.548"}
_ECUADOR = {"iso_country": "EC", "iso_region": "EC-P", "latitude_deg": "-0.129", "longitude_deg": "-78.357"}
ZURICH = {"id": "2", "ident": "LSZH", "name": "Zurich", "municipality": "Kloten", "iata_code": "ZRH", **_SWISS}
QUITO = {"id": "3", "ident": "SEQM", "name": "Quito", "municipality": "Quito", "iata_code": "UIO", **_ECUADOR}
# Zurich, with the number of Denver, and news.
FOREIGN = {**ZURICH, "id": "1", "elevation_ft": "1416"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def base(import_file) -> None:
    import_file(DENVER, ZURICH, QUITO)


def idents() -> dict[int | None, str]:
    return dict(Airport.objects.values_list("source_id", "ident"))


def decided(run: ImportRun, decision: Decision, admin_user) -> ImportRun:
    rows = rows_of(run, Wanted(Bucket.DISPUTED)).values_list("pk", flat=True)
    assert decide(run, rows, decision, actor=admin_user) == len(rows)
    run.refresh_from_db()
    return run


def test_a_plan_has_both_objects_beside_the_row(base, planned):
    row = planned(FOREIGN, QUITO).rows.get(disputed__isnull=False)

    assert (row.kind, row.line, row.label) == (RowKind.REFUSED, 2, "Zurich")
    by_id, by_ident = row.disputed["id"], row.disputed["ident"]
    assert (by_id["pk"], by_id["name"], round(by_id["km"])) == ("KDEN", "Denver", 8282)
    assert (by_ident["pk"], by_ident["name"], by_ident["km"]) == ("LSZH", "Zurich", 0)
    assert row.disputed["values"]["name"] == ["Zurich", "Denver", "Zurich"]


def test_a_disputed_row_is_in_a_bucket_of_its_own_and_changes_nothing(base, planned):
    run = planned(FOREIGN, QUITO)

    counts = bucket_counts(run)
    assert (counts[Bucket.DISPUTED], counts[Bucket.REFUSED], changes_of(run)) == (1, 1, 0)
    assert Bucket.MISSING not in counts


def test_where_the_ident_counts_its_airport_changes_and_keeps_its_number(
    base, planned, confirmed_and_applied, admin_user
):
    run = decided(planned(FOREIGN, QUITO), Decision.IDENT, admin_user)

    done = confirmed_and_applied(run)

    zurich = Airport.objects.get(pk="LSZH")
    assert (zurich.source_id, zurich.elevation_ft, idents()) == (2, 1416, {1: "KDEN", 2: "LSZH", 3: "SEQM"})
    counts = done.changeset.summary["counts"]
    assert (counts["updated"], counts["refused"], counts["skipped"]) == (1, 0, 0)
    assert not find_drift()[1]


def test_where_the_id_counts_its_airport_takes_the_ident_of_the_other(base, planned, confirmed_and_applied, admin_user):
    run = decided(planned(FOREIGN, QUITO), Decision.ID, admin_user)
    assert changes_of(run) == 2

    confirmed_and_applied(run)

    assert (idents(), Airport.objects.get(pk="LSZH").name) == ({1: "LSZH", 3: "SEQM"}, "Zurich")
    assert not find_drift()[1]


def test_what_gives_way_as_decided_counts_against_the_limit(base, planned, admin_user, monkeypatch):
    monkeypatch.setattr("apps.imports.plan.missing.ALWAYS_ALLOWED", 0)
    run = planned(FOREIGN, QUITO)
    assert why_not_confirm(admin_user, run) is None

    decided(run, Decision.ID, admin_user)

    sentence = "The file lacks 1 of 3 airports (33.3 %), which would be deleted (1 of them since"
    assert (why_not_confirm(admin_user, run) or "").startswith(sentence)
    assert apply_run(put(run, RunStatus.APPROVED)) is None
    run.refresh_from_db()
    assert (run.status, run.error.startswith(sentence)) == (RunStatus.FAILED, True)
    assert idents() == {1: "KDEN", 2: "LSZH", 3: "SEQM"}


def test_a_correction_is_kept_whatever_key_counts(base, planned, confirmed_and_applied, admin_user):
    Airport.objects.filter(pk="LSZH").update(elevation_ft=1400)
    run = decided(planned(FOREIGN, QUITO), Decision.IDENT, admin_user)

    confirmed_and_applied(run)

    assert Airport.objects.get(pk="LSZH").elevation_ft == 1400


def test_the_ident_does_not_count_where_another_row_is_about_its_airport(base, planned, admin_user):
    run = planned({**FOREIGN, "ident": "LSZH"}, {**ZURICH, "ident": "LSZX"}, QUITO)
    rows = list(rows_of(run, Wanted(Bucket.DISPUTED)).values_list("pk", flat=True))

    assert decide(run, rows, Decision.IDENT, actor=admin_user) == 0


def test_a_name_and_place_of_nobody_here_is_a_new_airport_where_the_ident_counts(
    base, planned, confirmed_and_applied, admin_user
):
    lima = {**QUITO, "id": "1", "ident": "SPJC", "name": "Lima", "iso_country": "PE", "iso_region": "PE-LMA"}
    run = decided(planned(lima, ZURICH, QUITO), Decision.IDENT, admin_user)

    confirmed_and_applied(run)

    assert idents() == {None: "SPJC", 1: "KDEN", 2: "LSZH", 3: "SEQM"}


def test_all_rows_of_a_filter_are_decided_about_at_once(base, planned, confirmed_and_applied, admin_user):
    run = planned(FOREIGN, {**QUITO, "id": "2", "elevation_ft": "7841"}, options=ImportOptions(corrections=True))
    assert bucket_counts(run)[Bucket.DISPUTED] == 2

    number = decide(run, Wanted(Bucket.DISPUTED, text="Quito"), Decision.IDENT, actor=admin_user)

    run.refresh_from_db()
    assert number == 1
    confirmed_and_applied(run)
    assert dict(Airport.objects.values_list("pk", "elevation_ft")) == {"KDEN": 5431, "LSZH": 5431, "SEQM": 7841}


def test_left_out_and_undecided_again_it_stays_refused(base, planned, confirmed_and_applied, admin_user):
    run = decided(planned(FOREIGN, {**QUITO, "elevation_ft": "7841"}), Decision.LEAVE, admin_user)

    assert changes_of(run) == 1
    confirmed_and_applied(run)
    assert (Airport.objects.get(pk="KDEN").name, Airport.objects.get(pk="LSZH").elevation_ft) == ("Denver", 5431)
