"""The list of the backups: which there are and how good, how long each is kept, and what was restored."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import formats, timezone
from django.utils.dateparse import parse_datetime
from django.utils.timezone import localtime

from apps.backups.catalogue.journal import read_journal
from apps.backups.catalogue.manifests import Backup, Catalogue, is_own, read_catalogue, why_not_own
from apps.backups.catalogue.offsite import list_offsite, storage
from apps.backups.catalogue.retention import Verdict, judge
from apps.backups.errors import BackupFailure, UnknownBackup
from apps.backups.pages.words import kind_words, proof
from apps.backups.work import work_going_on
from apps.changesets.acts.methods import show_page
from apps.changesets.identity import identity_of

NOTED = 8
VERBS = ("create", "verify", "download", "restore")


def answer(model_admin: admin.ModelAdmin, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """Show a page about backups."""
    return show_page(model_admin, request, f"admin/backups/{template}.html", context)


def list_page(model_admin: admin.ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Show the backups, newest first; those elsewhere only when asked, since that storage may be slow."""
    here, now = read_catalogue(), timezone.now()
    elsewhere = _elsewhere() if "elsewhere" in request.GET else Catalogue([], [])
    known = {backup.id for backup in here.backups}
    away = [backup for backup in elsewhere.backups if backup.id not in known]
    every, database = [*here.backups, *away], identity_of()
    verdicts = judge([backup for backup in every if is_own(backup, database)], now=now)
    context = {
        "title": "Backups",
        "rows": [_row(verdict, here=verdict.backup.id in known) for verdict in verdicts],
        "others": [
            _row(Verdict(backup, True, why), here=backup.id in known)
            for backup in every
            if (why := why_not_own(backup, database))
        ],
        "days": days_of(verdicts, now=now),
        "months": months_of(verdicts, now=now),
        "complaints": here.complaints + elsewhere.complaints,
        "noted": restores_and_downloads()[:NOTED],
        "going_on": work_going_on(),
        "may_look_elsewhere": "elsewhere" not in request.GET and has_storage(),
        "may": {verb: may_do(request, verb) for verb in VERBS},
    }
    return answer(model_admin, request, "list", context)


def find_listed(name: str) -> tuple[Backup, bool]:
    """Return the backup of this name, and whether it is here; nothing is fetched. Raises UnknownBackup."""
    for backup in read_catalogue().backups:
        if backup.id == name:
            return backup, True
    for backup in _elsewhere().backups:
        if backup.id == name:
            return backup, False
    raise UnknownBackup(f"There is no backup {name} any more.")


def restores_and_downloads() -> list[dict[str, Any]]:
    """Return what the journal tells of restores, of each its last word, and of downloads; newest first."""
    by_number: dict[str, dict[str, Any]] = {}
    for entry in read_journal():
        number = str(entry.get("restore") or (entry.get("download") and entry.get("at")) or "")
        if number and number not in by_number:
            by_number[number] = {**entry, "moment": parse_datetime(str(entry.get("at", "")))}
    return list(by_number.values())


def may_do(request: HttpRequest, verb: str) -> bool:
    """Whether somebody may do this to a backup; whoever downloads one has all accounts, so that takes a superuser."""
    user = request.user
    return user.has_perm(f"backups.{verb}_backup") and (verb != "download" or bool(user.is_superuser))


def has_storage() -> bool:
    """Whether there is a storage elsewhere."""
    try:
        return storage() is not None
    except BackupFailure:
        return True


def _elsewhere() -> Catalogue:
    try:
        return list_offsite()
    except BackupFailure as failure:
        return Catalogue([], [str(failure)])


def _row(verdict: Verdict, *, here: bool) -> dict[str, Any]:
    return {
        "backup": verdict.backup,
        "here": here,
        "kind": kind_words(verdict.backup),
        "proof": proof(verdict.backup),
        "kept": verdict.kept,
        "why": verdict.why,
    }


DAYS = 28


@dataclass(frozen=True)
class Spot:
    """One day or month of the line: how many backups of it are kept, and how many go with the next pruning."""

    title: str
    short: str
    kept: int
    ending: int

    @property
    def words(self) -> str:
        """Say what there is of it."""
        if not self.kept and not self.ending:
            return "no backup"
        going = f", {self.ending} to go with the next pruning" if self.ending else ""
        return f"{self.kept} kept{going}"


def days_of(verdicts: Sequence[Verdict], *, now: datetime) -> list[Spot]:
    """Return the last four weeks, oldest day first."""
    today = localtime(now).date()
    days = [today - timedelta(days=ago) for ago in range(DAYS - 1, -1, -1)]
    return [_spot(verdicts, day, lambda at: at, "l j F", "j") for day in days]


def months_of(verdicts: Sequence[Verdict], *, now: datetime) -> list[Spot]:
    """Return the months before these weeks that have backups, oldest first."""
    first = localtime(now).date() - timedelta(days=DAYS - 1)
    older = [verdict for verdict in verdicts if _day(verdict) < first]
    months = sorted({_month(_day(verdict)) for verdict in older})
    return [_spot(older, month, _month, "F Y", "M") for month in months]


def _spot(verdicts: Sequence[Verdict], of: date, period: Callable[[date], date], title: str, short: str) -> Spot:
    matching = [verdict for verdict in verdicts if period(_day(verdict)) == of]
    kept = sum(verdict.kept for verdict in matching)
    return Spot(formats.date_format(of, title), formats.date_format(of, short), kept, len(matching) - kept)


def _day(verdict: Verdict) -> date:
    return localtime(verdict.backup.created_at).date()


def _month(day: date) -> date:
    return day.replace(day=1)
