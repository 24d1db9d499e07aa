"""An installation of the first release: data, pins, corrections, runs that wait, and a backup of each kind."""

from datetime import timedelta

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.utils import timezone  # noqa: E402

from apps.backups.creating import create_backup  # noqa: E402
from apps.backups.objects.making import back_up_object  # noqa: E402
from apps.changesets.context import changeset  # noqa: E402
from apps.imports.plan.pins import pin  # noqa: E402
from apps.imports.runs.confirming import confirm_run, mark_of  # noqa: E402
from apps.imports.tasks import start_applying  # noqa: E402
from tests.second_domain.conftest import row  # noqa: E402
from tests.second_domain.models import Operator, Station  # noqa: E402
from tests.upgrading.files import FIRST, import_rows, planned_run  # noqa: E402


def main() -> None:
    """Make it."""
    stan, _rita = (User.objects.create_superuser(name, password="unused") for name in ("stan", "rita"))
    with changeset(kind="edit", actor=stan, reason="two operators"):
        Operator.objects.create(code="SBB", name="Swiss Federal Railways")
        Operator.objects.create(code="DB", name="Deutsche Bahn")
    import_rows(*FIRST)
    create_backup(actor=None, reason="", kind="full")
    create_backup(actor=None, reason="", kind="full", tables=("second_domain_operator", "second_domain_station"))
    correct(stan)
    create_backup(actor=None, reason="on a full one", kind="incremental")
    create_backup(actor=None, reason="", kind="data")
    with changeset(kind="edit", actor=stan, reason="after the data backup"):
        Station.objects.filter(code="BS").update(active=False)
    wait(stan)
    create_backup(actor=None, reason="on a data one", kind="incremental")
    back_up_object(Station.objects.get(code="BN"), actor=stan)


def correct(stan: User) -> None:
    """Let Bern have corrections, and two stations a pin each."""
    with changeset(kind="edit", actor=stan, reason="counted"):
        Station.objects.filter(code="BN").update(platforms=14, name="Bern Bahnhof")
    pin(Station.objects.get(code="BS"), "platforms", note="as the plan says", actor=stan)
    pin(Station.objects.get(code="UL"), "opened", note="as the chronicle says", actor=stan)


def wait(stan: User) -> None:
    """Leave a plan to somebody else than Stan, and an import of operators to tomorrow."""
    planned_run(Station, row("80-1", "UL", "Ulm Hbf", "DB", platforms="9"), actor=stan, reason="the new timetable")
    names = ({"id": "", "code": "DB", "name": "DB InfraGO"},)
    tomorrow = planned_run(Operator, *names, actor=stan, reason="tomorrow")
    rita = User.objects.get(username="rita")
    confirm_run(tomorrow, actor=rita, seen=mark_of(tomorrow), start_at=timezone.now() + timedelta(days=1))
    assert start_applying(tomorrow) is False


if __name__ == "__main__":
    main()
