"""Imports of a file that is here already: what one of them found holds for the next, while all is as it was then.

What a plan finds depends on the bytes, their name, the options, the console itself, and what the database has. All of
it is one key. An import that changed nothing keeps its key beside its figures; one with the same key need not be
planned. An import that changes something has other figures than its repetition, so the first repetition is planned.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.db import transaction

from apps.changesets.errors import RecordingNotInstalled
from apps.changesets.history.cache import state_of_tables
from apps.changesets.recording import require_recording
from apps.imports.models import HeaderMapping, ImportRun, Pin, RefusedCell, RunStatus
from apps.imports.plan.plan import ImportPlan
from apps.imports.reading.rows import Reading
from apps.imports.results import LISTED, FileIdentity, ImportCounts, ImportOptions, KeptValue, Refusal, Superseded
from apps.imports.runs.schema import schema_of
from apps.imports.runs.states import hold
from apps.imports.spec import ImportSpec

_KEPT = "repeat"


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """What an earlier import of the same file found, as a plan would tell it; nothing is to be written."""

    spec: ImportSpec
    run: ImportRun
    file: FileIdentity
    counts: ImportCounts
    refusals: tuple[Refusal, ...]

    # Nothing is created or changed, so none of these can be.
    to_write = 0
    kept: tuple[KeptValue, ...] = ()
    superseded: tuple[Superseded, ...] = ()
    beyond_limits: tuple[str, ...] = ()
    remembered: HeaderMapping | None = None

    @property
    def options(self) -> ImportOptions:
        """How it was imported."""
        return ImportOptions.from_json(self.run.options)

    @property
    def how(self) -> Reading:
        """How the file was read."""
        return Reading(**self.run.how)

    @property
    def read_as_blank(self) -> Mapping[str, int]:
        """The words that were read as blank, and how often."""
        return dict(self._kept["read_as_blank"])

    @property
    def later_titles(self) -> Sequence[str]:
        """The keys that came up late in a file of JSON, which are not taken."""
        return list(self._kept["later_titles"])

    @property
    def _kept(self) -> dict[str, Any]:
        kept: dict[str, Any] = (self.run.summary or {})[_KEPT]
        return kept

    def give(self, run: ImportRun) -> None:
        """Let a run of the same file have what planning would have given it; the caller saves its summary."""
        run.how, run.options, run.header = self.run.how, self.run.options, self.run.header
        run.counts, run.summary = self.counts.as_dict(), {**(run.summary or {}), _KEPT: self._kept}
        names = ("line", "column", "value", "rule", "hint")
        cells = RefusedCell.objects.filter(run=self.run).order_by("line", "pk").values(*names)
        with transaction.atomic():
            hold(run)
            run.save(update_fields=["how", "options", "header"])
            RefusedCell.objects.bulk_create((RefusedCell(run=run, **cell) for cell in cells.iterator()), 1000)


def key_of(file: FileIdentity, spec: ImportSpec, options: ImportOptions, how: Reading) -> str:
    """Return what the plan of a file depends on as one word; empty where that cannot be said.

    It cannot for a filter, which is a function, nor where changes to the tables might not be recorded.
    """
    if options.only:
        return ""
    try:
        require_recording()
    except RecordingNotInstalled:
        return ""
    asked = (asdict(file), asdict(how), options.as_json(), dict(options.named), options.past_limits)
    pins = Pin.objects.filter(model=spec.model._meta.label_lower).order_by("pk")
    mappings = HeaderMapping.objects.filter(spec=spec.name).order_by("pk")
    there = (
        state_of_tables(),
        list(pins.values_list("pk", "object_key", "field")),
        list(mappings.values_list("pk", "header_sha256", "mapping", "changes")),
    )
    return sha256(repr((asked, spec.name, schema_of(spec), _settings(), _console(), there)).encode()).hexdigest()


def note_repeat(run: ImportRun, plan: ImportPlan, key: str) -> None:
    """Keep with a run that changes nothing what a repetition is told; the caller saves its summary.

    `key` is of before and after the plan was made. What the rows of a run cannot give back exactly is not kept.
    """
    if plan.to_write or plan.remembered or plan.kept or plan.beyond_limits or plan.refusals != _refusals_of(run):
        return
    blank, later = dict(plan.read_as_blank), list(plan.later_titles)
    cells = RefusedCell.objects.filter(run=run).count()
    # PostgreSQL keeps the keys of JSON in an order of its own.
    counts = list(plan.counts.as_dict().items())
    kept = {"key": key, "counts": counts, "read_as_blank": blank, "later_titles": later, "cells": cells}
    run.summary = {**(run.summary or {}), _KEPT: kept}


def repeat_of(file: FileIdentity, spec: ImportSpec, key: str) -> Repeat | None:
    """Return what an earlier import with this key found; None where there was none, or its refusals were pruned."""
    if not key:
        return None
    applied = ImportRun.objects.filter(spec=spec.name, file_sha256=file.sha256, status=RunStatus.APPLIED)
    run = applied.filter(summary__repeat__key=key).order_by("-pk").first()
    if run is None or RefusedCell.objects.filter(run=run).count() != (run.summary or {})[_KEPT]["cells"]:
        return None
    counts = ImportCounts.from_dict(dict((run.summary or {})[_KEPT]["counts"]))
    return Repeat(spec=spec, run=run, file=file, counts=counts, refusals=_refusals_of(run))


def _refusals_of(run: ImportRun) -> tuple[Refusal, ...]:
    cells = RefusedCell.objects.filter(run=run).order_by("line", "pk")
    return tuple(Refusal(*row) for row in cells.values_list("line", "column", "value", "rule", "hint")[:LISTED])


def _settings() -> list[tuple[str, Any]]:
    """Return the limits and switches of the settings; those that are text say where something is, or are secret."""
    values = ((name, getattr(settings, name)) for name in dir(settings) if name.isupper())
    plain = [(name, value) for name, value in values if value is None or isinstance(value, int | float)]
    return [*plain, ("TIME_ZONE", settings.TIME_ZONE), ("LANGUAGE_CODE", settings.LANGUAGE_CODE)]


@cache
def _console() -> str:
    """Return a mark of the code and data that this process runs on: it is another one after any change to them."""
    packages = Path(django.__file__).parents[1]
    own = [app.path for app in apps.get_app_configs() if packages not in Path(app.path).parents]
    files = sorted(file for folder in {*own, str(settings.BASE_DIR / "data")} for file in _files(folder))
    # Installing a package, or another version of it, makes or removes a folder beside the others.
    return sha256(repr((sys.version, packages.stat().st_mtime_ns, files)).encode()).hexdigest()


def _files(folder: str) -> list[tuple[str, int, int]]:
    found = []
    for path, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in names:
            there = os.stat(file := os.path.join(path, name))
            found.append((file, there.st_size, there.st_mtime_ns))
    return found
