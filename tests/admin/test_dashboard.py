"""The dashboard: what it says, to whom, and at what price."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from apps.airports.models import Airport
from apps.backups.catalogue.folder import backup_folder
from apps.backups.catalogue.manifests import Backup, write_manifest
from apps.changesets.context import changeset
from apps.changesets.identity import identity_of
from apps.changesets.models import Changeset
from apps.imports.runs.workers import note_worker
from apps.quality.tallies import take_tally
from tests.admin.runs import make_run

MOST_QUERIES = 25


@pytest.fixture
def page_of(browse_as):
    """Return a function that opens the dashboard as somebody, and gives what it shows."""

    def opened(person):
        return browse_as(person).get("/admin/").context["dashboard"]

    return opened


def test_it_counts_and_says_what_came_and_went_this_week(page_of, viewer, places):
    Changeset.objects.update(created_at=timezone.now() - timedelta(days=30))
    with changeset(kind="bulk_action", actor=None):
        Airport.objects.filter(pk="EDDM").delete()
        Airport.objects.create(ident="EDMA", name="Augsburg")
        Airport.objects.create(ident="EDMB", name="Biberach")

    amounts = {each.plural: (each.number, each.added, each.deleted) for each, _ in page_of(viewer)["amounts"]}

    others = dict.fromkeys(("operators", "stations"), (0, 0, 0))
    assert amounts == {"airports": (4, 2, 1), "cities": (2, 0, 0), "countries": (2, 0, 0), **others}


def test_coverage_is_of_now_after_each_write(page_of, viewer, places):
    assert [each.percent for _, each, _ in page_of(viewer)["coverage"]] == [100, 100]
    Airport.objects.filter(pk="EDDM").update(city=None)

    assert {word: each.unlinked for word, each, _ in page_of(viewer)["coverage"]} == {"country": 0, "city": 1}


def test_findings_are_asked_for_afterwards_and_then_known(browse_as, page_of, viewer, places):
    Airport.objects.filter(pk="EDDM").update(name="")
    assert page_of(viewer)["findings"] is None

    cards = browse_as(viewer).get("/admin/looked-for/").content.decode()

    assert "data-waiting" not in cards
    errors = {str(severity): number for severity, _, number in page_of(viewer)["findings"]}["error"]
    # Without a name, and all three are without coordinates.
    assert errors == 4


def test_a_change_makes_the_findings_unknown_again(browse_as, page_of, viewer, places):
    browse_as(viewer).get("/admin/looked-for/")
    assert page_of(viewer)["findings"] is not None
    Airport.objects.filter(pk="EDDM").update(name="")

    assert page_of(viewer)["findings"] is None


def test_history_is_compared_with_all_objects(browse_as, page_of, viewer, places):
    browse_as(viewer).get("/admin/looked-for/")

    history = page_of(viewer)["history"]

    assert (history.objects, history.drift) == (7, 0)


def test_no_backup_is_said_in_words(page_of, admin_user):
    state = page_of(admin_user)["backup"]

    assert state.late
    assert state.words == "There is no backup yet"


@pytest.mark.parametrize(("hours", "late"), [(3, False), (30, True)])
def test_a_verified_backup_is_late_after_a_day(page_of, admin_user, hours, late):
    proved = kept_backup("b1", hours=hours, proved=True)
    kept_backup("b2", hours=0, proved=False)

    state = page_of(admin_user)["backup"]

    assert state.backup == proved
    assert state.late is late
    assert ("older than a day" in state.words) is late


def kept_backup(name, *, hours, proved):
    """A backup in the folder, made some hours ago, and proved or not."""
    made = timezone.now() - timedelta(hours=hours)
    backup = Backup(
        id=name, kind="full", created_at=made, actor="", reason="", engine="sqlite", server_version="3", migrations=(),
        newest_changeset=None, row_counts={}, size_bytes=1, sha256="", path=f"{name}.sqlite3", database=identity_of(),
        verified_at=made + timedelta(minutes=5) if proved else None,
    )  # fmt: skip
    backup_folder().mkdir(parents=True, exist_ok=True)
    backup.file.write_bytes(b"x")
    write_manifest(backup)
    return backup


def test_a_late_backup_has_its_button_beside_it_for_who_may_make_one(browse_as, steward, viewer):
    pages = [browse_as(person).get("/admin/").content.decode() for person in (steward, viewer)]

    assert ["/admin/backups/backup/add/" in page for page in pages] == [True, False]


def test_it_says_whether_it_runs(page_of, viewer, places):
    parts = [(part.ok, part.message) for part, _, _ in page_of(viewer)["health"]]
    note_worker()

    assert parts[2] == (False, "No worker is running, so large imports wait: start `python manage.py db_worker`.")
    assert all(part.ok for part, _, _ in page_of(viewer)["health"])


def test_imports_that_lost_their_worker_lead_to_the_list_of_imports(browse_as, steward, viewer, places):
    make_run(steward, status="approved", confirmed_at=timezone.now() - timedelta(hours=1))

    page = browse_as(steward).get("/admin/").content.decode()

    assert "1 import has lost its worker" in page
    assert '<a class="button" href="/admin/imports/importrun/">See the imports</a>' in page


def test_an_empty_database_says_what_to_do_first(browse_as, operator, viewer):
    page = browse_as(operator).get("/admin/").content.decode()

    assert "Nothing is here yet" in page
    assert "/admin/airports/airport/import/" in page
    assert "You need the permission to import airports" in browse_as(viewer).get("/admin/").content.decode()


def test_who_may_see_nothing_sees_no_figures(page_of, outsider, places):
    shown = page_of(outsider)

    hidden = ("amounts", "coverage", "findings", "history", "backup", "map", "charts", "health")
    assert not [name for name in hidden if shown.get(name)]


def test_who_may_see_cities_sees_only_them(page_of, outsider, places):
    outsider.user_permissions.set([Permission.objects.get(codename="view_city")])

    shown = page_of(outsider)

    assert [each.plural for each, _ in shown["amounts"]] == ["cities"]
    assert "map" not in shown


def test_imports_that_wait_are_shown_to_who_may_see_them(page_of, operator, viewer, outsider, places):
    run = make_run(operator)

    assert [shown.run for shown in page_of(operator)["runs"]] == [run]
    assert page_of(operator)["runs"][0].cancel_url
    assert not page_of(viewer)["runs"][0].cancel_url
    assert not page_of(outsider)["runs"]


def test_the_trend_of_airports_counts_back_from_now(page_of, viewer, places):
    with changeset(kind="bulk_action", actor=None):
        Airport.objects.filter(pk="EDDM").delete()

    (chart,) = page_of(viewer)["charts"]

    assert [numbers for _, _, _, numbers in chart.rows] == [(3,), (2,)]


def test_tallies_are_the_trend_of_coverage_and_findings(page_of, viewer, places):
    take_tally()
    with changeset(kind="bulk_action", actor=None):
        Airport.objects.filter(pk="EDDM").update(city=None)
    take_tally()

    coverage, findings = page_of(viewer)["more_charts"]

    assert [numbers for *_, numbers in coverage.rows] == [(100, 100), (100, 66.67)]
    assert len(findings.rows) == 2


def test_it_takes_few_queries_whatever_there_is(browse_as, steward, places, edit, django_assert_max_num_queries):
    for number in range(20):
        edit("KDEN", elevation_ft=number)
    make_run(steward)
    client = browse_as(steward)
    client.get("/admin/looked-for/")
    client.get("/admin/")

    with django_assert_max_num_queries(MOST_QUERIES):
        client.get("/admin/")


def waiting(page_of, person) -> list[tuple[str, str]]:
    return [(item.words, item.verb) for item in page_of(person)["to_do"]]


def test_what_waits_for_a_person_comes_first(page_of, browse_as, steward, places):
    make_run(steward)
    make_run(steward, status="uploaded")

    page = browse_as(steward).get("/admin/")

    assert [(item.words, item.verb) for item in page.context["dashboard"]["to_do"]] == [
        ("1 import to be reviewed", "Review"),
        ("1 import not planned yet", "Go on"),
        ("1 changeset not reviewed", "Review"),
        ("There is no backup yet", "Back up…"),
    ]
    text = page.content.decode()
    assert text.index("Import airports…") < text.index("To do") < text.index("Airports of the world")
    for item in page.context["dashboard"]["to_do"]:
        assert browse_as(steward).get(item.url).status_code == 200


def test_a_planned_revert_waits_for_who_had_it_planned_until_something_changes(
    page_of, browse_as, steward, make_person, places, edit
):
    made = edit("KDEN", name="Denver Intl")
    address = f"/admin/changesets/changeset/{made.pk}/revert/"
    browse_as(steward).get(address)
    looked_at = waiting(page_of, steward)

    browse_as(steward).post(f"{address}?field=name", {"show": "plan"})
    mine, hers = waiting(page_of, steward), waiting(page_of, make_person("sue", group="steward"))
    (url,) = [item.url for item in page_of(steward)["to_do"] if "plan" in item.words]
    edit("EDDM", name="Munich")

    planned = (f"Your plan to revert #{made.pk} Edit (only name): 1 object", "Review")
    assert [planned in shown for shown in (looked_at, mine, hers, waiting(page_of, steward))] == [0, 1, 0, 0]
    assert url == f"{address}?field=name"


def test_nothing_waits_for_who_may_do_nothing_about_it(page_of, viewer, outsider, places):
    assert waiting(page_of, viewer) == waiting(page_of, outsider) == []


def test_backups_that_were_never_verified_are_counted_and_the_newest_is_verified(page_of, browse_as, steward, places):
    kept_backup("b1", hours=5, proved=False)
    kept_backup("b2", hours=2, proved=False)

    page = browse_as(steward).get("/admin/").content.decode()

    assert ("2 backups, none verified", "Verify…") in waiting(page_of, steward)
    assert '<form method="post" action="/admin/backups/backup/b2/verify/">' in page
    assert "nothing could be brought back" not in page


def test_an_old_proof_asks_for_verifying_a_newer_backup_or_for_making_one(page_of, steward, places):
    kept_backup("b1", hours=50, proved=True)
    made = waiting(page_of, steward)
    kept_backup("b2", hours=1, proved=False)

    assert made[-1] == ("The newest verified backup is older than a day", "Back up…")
    assert waiting(page_of, steward)[-1][1] == "Verify…"


def test_the_week_is_told_as_what_is_left_of_it(browse_as, viewer, places):
    Changeset.objects.update(created_at=timezone.now() - timedelta(days=30))
    with changeset(kind="bulk_action", actor=None):
        Airport.objects.create(ident="EDMA", name="Augsburg")
        Airport.objects.create(ident="EDMB", name="Biberach")
    with changeset(kind="revert", actor=None):
        Airport.objects.filter(pk="EDMB").delete()

    page = " ".join(browse_as(viewer).get("/admin/").content.decode().split())

    assert "+</b>1 more this week" in page
    assert "(2 added, 1 deleted)" in page


def test_all_tables_are_one_menu(browse_as, viewer, places):
    page = browse_as(viewer).get("/admin/").content.decode()

    assert page.count("<summary>All tables</summary>") == 1
    assert page.count('href="/admin/base/city/"') >= 1
