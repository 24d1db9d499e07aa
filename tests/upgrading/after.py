"""The same installation with the columns of a later release: what was kept must be there, and what waited must go on.

It runs in a copy of the tree in which `platforms` is called `tracks`.
"""

from collections.abc import Callable

import django
import pytest

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402
from django_tasks_db.models import DBTaskResult  # noqa: E402

from apps.backups.catalogue.manifests import Backup, list_backups  # noqa: E402
from apps.backups.objects.catalogue import backups_of  # noqa: E402
from apps.backups.objects.restoring import fit_to, restore_from  # noqa: E402
from apps.backups.restore.database import restore  # noqa: E402
from apps.backups.restore.verify import verify  # noqa: E402
from apps.changesets.models import Changeset  # noqa: E402
from apps.changesets.names import strays  # noqa: E402
from apps.changesets.recording.audit import find_drift  # noqa: E402
from apps.changesets.tracking import tracked_for  # noqa: E402
from apps.imports.errors import RunRefused  # noqa: E402
from apps.imports.models import ImportRun, Pin, RunStatus  # noqa: E402
from apps.imports.results import ImportOptions  # noqa: E402
from apps.imports.runs.confirming import confirm_run, mark_of  # noqa: E402
from apps.imports.runs.engine import apply_run, plan_run  # noqa: E402
from apps.imports.runs.opening import set_options  # noqa: E402
from tests.second_domain.conftest import row  # noqa: E402
from tests.second_domain.models import Operator, Station  # noqa: E402
from tests.upgrading.files import FIRST, import_rows  # noqa: E402

MADE_BEFORE = "Made before migration second_domain.0002_second and 1 more; all its rows are there. "
PINS = {("id:85-2", "tracks"), ("id:80-1", "opened")}


def main() -> None:
    """Look at everything, one after the other."""
    of_first = [backup for backup in reversed(list_backups()) if "second_domain.0002_second" not in backup.migrations]
    kinds = [backup.kind for backup in of_first]
    assert kinds == ["full", "full", "incremental", "data", "incremental", "before-migration"], kinds
    pins_and_corrections_are_kept()
    the_waiting_plan_is_planned_again_and_applied()
    the_scheduled_run_runs_once()
    an_object_comes_back()
    no_drift()
    for backup in of_first:
        it_is_proved(backup)
    full, tables, *later = of_first
    it_comes_back(full, tracks={"BN": 12, "BS": 15, "UL": 8}, pins=set())
    Station.objects.filter(code="UL").delete()
    it_comes_back(tables, tracks={"BN": 12, "BS": 15, "UL": 8}, pins=set())
    made = import_rows(*FIRST)
    assert made is None, made.field_counts
    for backup in later:
        it_comes_back(backup, tracks={"BN": 14, "BS": 15, "UL": 8}, pins=PINS)
        pins_and_corrections_are_kept()


def pins_and_corrections_are_kept() -> None:
    """The next import changes what nobody holds, and nothing else."""
    assert {(pin.object_key, pin.field) for pin in Pin.objects.all()} == PINS
    import_rows(
        row("85-1", "BN", "Bern", platforms="12"),
        row("85-2", "BS", "Basel SBB", platforms="20"),
        row("80-1", "UL", "Ulm", "DB", platforms="7", opened="1950-01-01"),
    )
    values = {code: (name, tracks) for code, name, tracks in Station.objects.values_list("code", "name", "tracks")}
    assert values == {"BN": ("Bern Bahnhof", 14), "BS": ("Basel SBB", 15), "UL": ("Ulm", 7)}, values
    assert str(Station.objects.get(code="UL").opened) != "1950-01-01"
    no_drift()


def the_waiting_plan_is_planned_again_and_applied() -> None:
    """The plan that waited for Rita is refused, planned again, and applied once."""
    stan, rita = (User.objects.get(username=name) for name in ("stan", "rita"))
    run = ImportRun.objects.get(status=RunStatus.PLANNED)
    refused(lambda: confirm_run(run, actor=rita, seen=mark_of(run)), "made by another version of the console")
    set_options(run, ImportOptions.from_json(run.options), actor=stan)
    plan_run(run)
    refused(lambda: confirm_run(run, actor=stan, seen=mark_of(run)), "somebody else")
    confirm_run(run, actor=rita, seen=mark_of(run))
    apply_run(run)
    assert run.status == RunStatus.APPLIED, run.error
    assert Station.objects.filter(code="UL", name="Ulm Hbf", tracks=9).exists()
    assert Changeset.objects.filter(reason="the new timetable").count() == 1


def the_scheduled_run_runs_once() -> None:
    """Nothing happens before its time, and then it happens once, however often a worker looks."""
    call_command("db_worker", batch=True, startup_delay=False, verbosity=0)
    run = ImportRun.objects.get(reason="tomorrow")
    assert run.status == RunStatus.APPROVED
    now = timezone.now()
    ImportRun.objects.filter(pk=run.pk).update(start_at=now, confirmed_at=now.replace(year=2000))
    DBTaskResult.objects.update(run_after=now)
    for _look in range(2):
        call_command("db_worker", batch=True, startup_delay=False, verbosity=0)
    run.refresh_from_db()
    assert run.status == RunStatus.APPLIED, run.error
    assert Operator.objects.get(code="DB").name == "DB InfraGO"
    assert Changeset.objects.filter(reason="tomorrow").count() == 1


def an_object_comes_back() -> None:
    """The backup of Bern is read under the former name of a column, also of one that was away."""
    tracked, bern = tracked_for(Station), Station.objects.get(code="BN")
    Station.objects.filter(pk=bern.pk).update(tracks=1, opened=None)
    (backup,) = backups_of(tracked, bern).backups
    fit = fit_to(tracked, backup, bern)
    restore_from(tracked, backup, fit, fields=["tracks", "opened"], actor=None, reason="", seen=None, partly=True)
    bern.refresh_from_db()
    assert (bern.tracks, str(bern.opened)) == (14, "1858-06-15")


def it_is_proved(backup: Backup) -> None:
    """The third verdict: made before a migration, and all its rows are there."""
    proved = verify(backup)
    assert proved.verified_at is not None
    assert proved.verified.startswith(MADE_BEFORE), f"{backup.kind}: {proved.verified}"


def it_comes_back(backup: Backup, *, tracks: dict[str, int], pins: set[tuple[str, str]]) -> None:
    """The live database becomes what the backup has, with the columns of today."""
    done = restore(backup, actor=None).done
    assert done.drift == 0, backup.kind
    assert dict(Station.objects.values_list("code", "tracks")) == tracks, backup.kind
    assert {(pin.object_key, pin.field) for pin in Pin.objects.all()} == pins, backup.kind
    assert [sentence for sentence in strays() if not sentence.startswith("The plan of")] == []


def no_drift() -> None:
    """History knows every row as it is."""
    assert find_drift()[1] == []


def refused(act: Callable[[], object], why: str) -> None:
    """Fail unless the act is refused for this reason."""
    with pytest.raises(RunRefused, match=why):
        act()


if __name__ == "__main__":
    main()
