"""What a console holds after a trial, without what differs from run to run: keys that are counted up, and moments."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from tests.torture.processes import run
from tests.torture.world import Databases, Place, enter

Rows = dict[tuple[str, str], tuple]


@dataclass
class State:
    """All rows by table and name, each with the number of its history rows; acts that count; what is wrong at once."""

    rows: Rows
    marks: dict[str, Any]
    complaints: list[str] = field(default_factory=list)

    def same(self, other: "State", *, apart: Collection[tuple[str, str]] = ()) -> bool:
        """Whether two states are alike, some rows left out."""
        return self.marks == other.marks and self.differing(other) <= set(apart)

    def differing(self, other: "State") -> set[tuple[str, str]]:
        """Return the rows that differ."""
        return {key for key in self.rows.keys() | other.rows.keys() if self.rows.get(key) != other.rows.get(key)}

    def difference(self, other: "State", *, apart: Collection[tuple[str, str]] = ()) -> str:
        """Say what differs, for who has to find out why."""
        rows = sorted(self.differing(other) - set(apart))
        pairs = [(key, self.rows.get(key), other.rows.get(key)) for key in rows[:2]]
        pairs += [(name, mark, other.marks[name]) for name, mark in self.marks.items() if mark != other.marks[name]]
        lines = [f"{key}: {now}\n      not {was}" for key, now, was in pairs]
        return "\n    ".join([f"{len(rows)} rows differ", *lines])


def state_of(databases: Databases, place: Place) -> State:
    """Return the state of a place, once no process of a trial is left in it."""
    databases.until_alone(place)
    return run(lambda: _look(place), log=place.log)


def _look(place: Place) -> State:
    from django.conf import settings

    from apps.airports.models import Airport
    from apps.base.models import City, Country
    from apps.changesets.models import Changeset, Status
    from apps.imports.models import ImportRun, Pin, RunStatus
    from apps.imports.runs.lease import fail_dead_runs

    enter(place)
    settings.IMPORTS_LEASE_SECONDS = 0
    fail_dead_runs()
    rows: Rows = {}
    names = {Country: ["iso_code"], City: ["country__iso_code", "name"], Airport: ["source_id"]}
    links = {City: ["country__iso_code"], Airport: ["country__iso_code", "city__name", "city__country__iso_code"]}
    for model, name in names.items():
        rows |= _rows_of(model, name, links.get(model, []))
    done = Changeset.objects.exclude(status=Status.FAILED)
    marks = {
        "changesets": sorted(done.values_list("kind", "status")),
        "applied": ImportRun.objects.filter(status=RunStatus.APPLIED, changeset__isnull=False).count(),
        "pins": Pin.objects.count(),
    }
    return State(rows, marks, _complaints())


def _rows_of(model: Any, name: list[str], links: list[str]) -> Rows:
    from collections import Counter

    from django.db import models

    skipped = (models.AutoField, models.ForeignKey, models.DateTimeField)
    fields = [f.name for f in model._meta.concrete_fields if not isinstance(f, skipped)]
    histories = Counter(model.history.values_list(model._meta.pk.attname, flat=True))
    label = model._meta.model_name
    return {
        (label, " ".join(map(str, row[: len(name)]))): (*map(str, row[len(name) + 1 :]), histories[row[len(name)]])
        for row in model.objects.values_list(*name, "pk", *fields, *links)
    }


def _complaints() -> list[str]:
    from apps.backups.catalogue.folder import sha256_of
    from apps.backups.catalogue.manifests import list_backups
    from apps.changesets.models import Changeset, Status
    from apps.changesets.recording.audit import find_drift
    from apps.imports.models import BUSY, ImportRun, RunStatus

    complaints = [f"drift: {drift}" for drift in find_drift()[1]]
    for of in ImportRun.objects.all():
        if of.status in BUSY or of.lock:
            complaints.append(f"run {of.pk} is {of.status} and holds {of.lock!r} with nobody at work")
        if of.status == RunStatus.FAILED and (of.changeset_id or not of.error):
            complaints.append(f"run {of.pk} failed with changeset {of.changeset_id} and the words {of.error!r}")
    for made in Changeset.objects.filter(status=Status.FAILED):
        complaints += [f"failed changeset {made.pk} without words"] if not made.error else []
    unfinished = Changeset.objects.filter(finished_at=None).exclude(kind__in=["direct", "baseline", "migration"])
    complaints += [f"changeset {made.pk} was never finished" for made in unfinished]
    for backup in list_backups():
        if not backup.file.exists() or sha256_of(backup.file) != backup.sha256:
            complaints.append(f"backup {backup.id} is in the catalogue and not whole")
    return complaints
