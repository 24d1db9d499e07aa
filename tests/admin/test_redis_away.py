"""Redis is away: pages are shown, acts are done and answered, and what cannot be told is one sentence."""

import pytest

from apps.backups import work
from apps.backups.catalogue.manifests import list_backups
from apps.changesets.errors import BoardUnavailable
from apps.changesets.models import Changeset
from apps.imports.models import ImportRun, RunStatus
from apps.imports.runs.lease import working
from tests.admin.runs import act, make_run, names_here, page, seen_on
from tests.admin.test_import_upload import upload
from tests.imports.files import csv_text
from travelmathlite.caching import caches_of

pytestmark = pytest.mark.django_db
SENTENCE = "what all processes share does not answer"
LISTS = ("airports/airport", "imports/importrun", "backups/backup", "quality/finding", "changesets/changeset")
PAGES = ("/admin/", *(f"/admin/{name}/" for name in LISTS))


@pytest.fixture(autouse=True)
def away(settings, tmp_path) -> None:
    """A Redis that does not run, for what processes share."""
    settings.CACHES = caches_of(f"unix://{tmp_path}/no.sock", folder=tmp_path)


@pytest.mark.parametrize("address", PAGES)
def test_pages_are_shown(address, steward, browse_as, places):
    answer = browse_as(steward).get(address, follow=True)

    assert answer.status_code == 200


def test_a_revert_is_done_and_answered(places, steward, browse_as, edit):
    made = edit("KDEN", name="Denver Intl")
    client, address = browse_as(steward), f"/admin/changesets/changeset/{made.pk}/revert/"
    token = client.get(address).context["token"]

    answer = client.post(address, {"seen": token, "reason": "it was right"})

    assert answer.url == f"/admin/changesets/changeset/{Changeset.objects.get(kind='revert').pk}/change/"


def test_a_small_file_is_planned_and_imported(operator, browse_as):
    client = browse_as(operator)

    upload(client, csv_text({}), blank="keep")
    run = ImportRun.objects.get()
    done = act(client, run, "confirm", seen=seen_on(client, run), reason="spring refresh")

    assert done.status_code == 200
    run.refresh_from_db()
    assert run.status == RunStatus.APPLIED, run.error
    assert names_here()


def test_a_run_that_is_held_is_watched_and_not_taken_for_dead(operator, browse_as):
    run = make_run(operator, status="running", started_at="2020-01-01T00:00:00Z")

    with working(run):
        answer = page(browse_as(operator), run)

    assert answer.status_code == 200
    run.refresh_from_db()
    assert run.status == RunStatus.RUNNING


def test_a_wish_to_stop_that_cannot_be_passed_on_is_told(operator, browse_as):
    run = make_run(operator, status="running")

    answer = act(browse_as(operator), run, "cancel")

    assert answer.status_code == 503
    assert SENTENCE in answer.content.decode()


def test_a_backup_that_nobody_could_watch_is_not_begun(steward, browse_as, places):
    answer = browse_as(steward).post("/admin/backups/backup/add/", {"kind": "full"})

    assert SENTENCE in answer.content.decode()
    assert list_backups() == []


def test_a_backup_is_made_and_told_where_redis_goes_away_meanwhile(steward, settings, tmp_path, monkeypatch):
    away, make = settings.CACHES, work._do

    def lose_redis(*args):
        settings.CACHES = away
        return make(*args)

    settings.CACHES = caches_of("", folder=tmp_path)
    monkeypatch.setattr(work, "_do", lose_redis)

    done = work.begin(work.CREATE, actor=steward)

    assert (done.state, [done.backup]) == (work.DONE, [backup.id for backup in list_backups()])
    with pytest.raises(BoardUnavailable, match=SENTENCE):
        work.work_of(done.id)


def test_health_says_what_does_not_answer(client, places):
    parts = client.get("/readyz").json()

    assert parts["worker"] == {
        "ok": False,
        "message": "The shared cache does not answer: check Redis (CACHE_URL), or the disk of VAR_DIR.",
    }
    assert parts["database"]["ok"]
