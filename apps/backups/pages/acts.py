"""Backing up and restoring the database: asked for on a page, and begun as a piece of work with its own page."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.db import connection
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html

from apps.backups.catalogue.manifests import Backup, why_not_own
from apps.backups.errors import BackupFailure
from apps.backups.kinds import FULL, kinds
from apps.backups.pages.choosing import ChoiceForm, later_than, then_and_now
from apps.backups.pages.words import ASKED_FOR, KINDS, kind_words, proof
from apps.backups.restore.point_in_time import in_words
from apps.backups.work import CREATE, RESTORE, VERIFY, begin
from apps.changesets.acts.lines import Line
from apps.changesets.acts.planned import Crumb, Outcome, Page, PlannedAct
from apps.changesets.errors import ChangesetError
from apps.changesets.identity import identity_of
from apps.changesets.pages import links
from apps.changesets.pages.choices import offer
from apps.changesets.text import counted, plural

_TEXT = {"class": "vTextField", "autocomplete": "off"}


class CreateForm(forms.Form):
    """What sort of backup, and a label."""

    kind = forms.ChoiceField(initial=FULL, widget=forms.RadioSelect)
    label = forms.CharField(max_length=200, required=False, widget=forms.TextInput(attrs=_TEXT))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        registered = [kind for kind in ASKED_FOR if kind in kinds()]
        shown = '<b>{}</b> <span class="quiet">{}</span>'
        offer(self, "kind", [(kind, format_html(shown, KINDS[kind], ASKED_FOR[kind])) for kind in registered])


class NameForm(forms.Form):
    """The name of the backup, typed."""

    name = forms.CharField(max_length=200, required=False, widget=forms.TextInput(attrs=_TEXT))

    def __init__(self, *args: Any, wanted: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wanted = wanted

    def clean_name(self) -> str:
        """Refuse any other name: this is what keeps a wrong click from being a restore."""
        typed = self.cleaned_data["name"].strip()
        if typed != self.wanted:
            raise forms.ValidationError(f"Type the name of the backup, {self.wanted}: nothing was restored.")
        return typed


TITLES = {CREATE: "Back up the database", VERIFY: "Verify a backup", RESTORE: "Restore the database"}


def list_url() -> str:
    """Return the address of the list of backups."""
    return reverse("admin:backups_backup_changelist")


class Working(PlannedAct[str]):
    """An act that begins a piece of work, which is its plan; its address asks for the permission."""

    needs_token = False
    refusals = (ChangesetError, BackupFailure)
    verb: str

    def may(self) -> bool:
        return True

    def plan(self) -> str:
        return self.verb

    def state(self, plan: str) -> None:
        """What is backed up or brought back is in a file, or is what there is when the work begins."""

    def begin(self, **about: Any) -> Outcome:
        """Begin the work, and lead to its page."""
        work = begin(self.verb, actor=self.actor, **about)
        return Outcome(reverse("admin:backups_backup_work", args=[work.id]))


class MakeBackup(Working):
    """Making a backup of the database."""

    name = "back-up"
    template = "admin/acts/back_up.html"
    verb = CREATE

    def __init__(self, model_admin: admin.ModelAdmin[Any], request: HttpRequest) -> None:
        super().__init__(model_admin, request)
        self.options = CreateForm(request.POST if request.method == "POST" else None)

    def subject(self) -> str:
        return CREATE

    def wants_reason(self) -> bool:
        return False

    def is_complete(self) -> bool:
        return self.options.is_valid()

    def page(self, plan: str) -> Page:
        return Page(
            title=TITLES[CREATE],
            crumbs=(Crumb("Backups", list_url()), Crumb("Back up now")),
            verb="Back up now",
            back_url=list_url(),
            note="",
            context={"options": self.options},
        )

    def apply(self, *, reason: str, seen: Any) -> Outcome:
        options = self.options.cleaned_data
        return self.begin(kind=options["kind"], label=options["label"], reason=options["label"])


class RestoreBackup(Working):
    """Restoring the database, or the rows of some tables, from a backup; what of it is in the address."""

    name = "restore-database"
    template = "admin/acts/restore_database.html"
    verb = RESTORE

    def __init__(self, model_admin: admin.ModelAdmin[Any], request: HttpRequest, backup: Backup, *, here: bool) -> None:
        super().__init__(model_admin, request)
        self.backup, self.here = backup, here
        self.choice = ChoiceForm(request, backup, here=here)
        self.typed = NameForm(request.POST if request.method == "POST" else None, wanted=backup.id)

    @cached_property
    def possible(self) -> bool:
        """Whether what is chosen can be restored; with nothing in the address, that is everything."""
        return self.choice.is_valid() if self.choice.is_bound else not self.choice.why_not_all

    def subject(self) -> list[str]:
        return [self.backup.id, self.request.GET.urlencode()]

    def is_complete(self) -> bool:
        return all([self.typed.is_valid(), self.possible])

    def page(self, plan: str) -> Page:
        choice = self.choice
        tables = len(choice.tables) if self.possible else 0
        return Page(
            title=f"Restore {self.backup.id}",
            crumbs=(Crumb("Backups", list_url()), Crumb("Restore")),
            verb=f"Restore {counted(tables, 'table') if tables else 'the database'}" if self.possible else "",
            danger=True,
            back_url=list_url(),
            note="The journal beside the backups tells of it, whatever happens.",
            lines=tuple(self._lines()) if self.possible else (),
            context={
                "backup": self.backup,
                "here": self.here,
                "kind": kind_words(self.backup),
                "proof": proof(self.backup),
                "choice": choice,
                "possible": self.possible,
                "upto": "" if choice.limit is None else in_words(choice.limit),
                "typed": self.typed,
                "engine_differs": self.backup.engine != connection.vendor and self.backup.kind != "data",
            },
        )

    def apply(self, *, reason: str, seen: Any) -> Outcome:
        return self.begin(backup=self.backup.id, reason=reason, **self.choice.about)

    def _lines(self) -> Iterator[Line]:
        choice = self.choice
        for line in then_and_now(choice):
            yield Line("changed", line["then"], f"{line['name']} will be there{_against(line['then'], line['now'])}")
        if len(choice.chain) > 1:
            words = "it takes {} backups, the last of them <code>{}</code>"
            yield Line("changed", None, format_html(words, f"{len(choice.chain):,}", choice.chain[-1].id))
        if why := why_not_own(self.backup, identity_of()):
            yield Line("changed", None, f"the backup is {why}: what is there now becomes what was there")
        later = later_than(choice)
        if later is None:
            yield Line(
                "created", None, "rows that differ are written as one changeset, which can be reverted; history stays"
            )
        elif later:
            made, they = plural(later, "changeset"), plural(later, "it", "they")
            words = f"{made} made since will be gone, with what {they} changed"
            yield Line("deleted", later, words, url=links.changesets_url())
        else:
            yield Line("kept", None, "there is no later changeset")
        if not choice.tables:
            words = "users, groups and permissions will be as they were then, and everybody has to log in again"
            yield Line("changed", None, words)
        yield Line("created", None, "what is there now is backed up first, so that this can be taken back")
        yield Line("kept", None, "when anything fails, the database stays as it is")


def _against(then: int, now: int | None) -> str:
    if now is None:
        return "; the present number is not known"
    return ", as many as now" if now == then else f"; now there are {now:,}"
