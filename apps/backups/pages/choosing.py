"""What of a backup to restore: everything, everything up to a changeset or a time, or the rows of some tables.

The choice is in the address, so that the page can show what it would change before anybody confirms it.
"""

from typing import Any

from django import forms
from django.apps import apps
from django.db import DatabaseError
from django.db.models import Q
from django.http import HttpRequest

from apps.backups.catalogue.manifests import Backup, own_backups
from apps.backups.errors import BackupFailure
from apps.backups.portable.base import goes_on_from
from apps.backups.portable.cutting import Upto
from apps.backups.restore.point_in_time import plan_restore, reach_of, read_upto
from apps.backups.restore.tables import offered, why_not_restore
from apps.changesets.acts.actor import actor_of
from apps.changesets.errors import ChangesetError
from apps.changesets.models import Changeset
from apps.changesets.pages.choices import offer
from apps.changesets.tracking import tracked_models

EVERYTHING, UPTO, TABLES = "everything", "upto", "tables"
CHANGESETS = 100


class ChoiceForm(forms.Form):
    """What to restore of a backup; with nothing in the address, everything."""

    what = forms.ChoiceField(initial=EVERYTHING, widget=forms.RadioSelect)
    upto = forms.CharField(
        max_length=40, required=False, widget=forms.TextInput(attrs={"autocomplete": "off", "list": "changesets"})
    )
    table = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, request: HttpRequest, backup: Backup, *, here: bool) -> None:
        super().__init__(request.GET if "what" in request.GET else None)
        self.backup = backup
        self.limit: Upto | None = None
        self.chain: list[Backup] = []
        # A chain is put together of what is here.
        self.why_not_all = why_not_restore(actor_of(request), backup.tables)
        self.reach = reach_of(backup, own_backups()) if here and not (backup.tables or self.why_not_all) else None
        tables = [] if backup.tables else list(_tables(backup))
        offer(self, "table", tables)
        self.ways = [EVERYTHING] * (not self.why_not_all) + [UPTO] * bool(self.reach) + [TABLES] * bool(tables)
        offer(self, "what", [(way, way) for way in self.ways])
        self.initial["what"] = next(iter(self.ways), "")

    @property
    def chosen(self) -> str:
        """The way that is chosen, whether it can be gone or not."""
        return self["what"].value()

    @property
    def tables(self) -> tuple[str, ...]:
        """The chosen tables, or those that are all that the backup has; none for all."""
        ticked = self.cleaned_data["table"] if self.is_bound and self.is_valid() and self.chosen == TABLES else ()
        return tuple(ticked) or self.backup.tables

    @property
    def is_changeset(self) -> bool:
        """Whether it goes up to a changeset, and not to a time."""
        return isinstance(self.limit, int)

    @property
    def about(self) -> dict[str, Any]:
        """What the work is told of the choice."""
        return {"upto": self.cleaned_data["upto"] if self.limit is not None else "", "tables": self.tables}

    @property
    def changesets(self) -> list[Changeset]:
        """The changesets that the increments hold, newest first, where the database still is the one of then."""
        try:
            if self.reach is None or not goes_on_from(self.reach, "default"):
                return []
            since = self.backup.newest_changeset if self.backup.base is None else self.backup.since_changeset
            held = Changeset.objects.filter(pk__gte=since or 0, pk__lte=self.reach.newest_changeset or 0)
            return list(held.order_by("-pk")[:CHANGESETS])
        except DatabaseError:
            return []  # What is damaged cannot be asked, and is just what a restore is for.

    def clean(self) -> dict[str, Any]:
        """Find out now whether there is a way to the changeset or time, and not once everybody was sent home."""
        super().clean()
        given = self.cleaned_data
        if given.get("what") == UPTO:
            try:
                self.limit = read_upto(given.get("upto", ""))
                self.chain = plan_restore(own_backups(), self.limit, through=self.backup)
            except (BackupFailure, ChangesetError) as refusal:
                self.add_error("upto", str(refusal))
        if given.get("what") != UPTO and given.get("upto"):
            self.add_error("what", "Choose “up to a changeset or a time” for this, or empty the field.")
        if given.get("what") != TABLES and given.get("table"):
            self.add_error("what", "Choose “only the rows of these tables” for this, or untick them.")
        if given.get("what") == TABLES and not given.get("table") and "table" not in self.errors:
            self.add_error("table", "Tick the tables whose rows should come back.")
        return given


def later_than(choice: ChoiceForm) -> int | None:
    """Return how many changesets there are that would be gone; None where only rows of tables change."""
    if choice.tables:
        return None
    try:
        if choice.limit is None:
            return Changeset.objects.filter(pk__gt=choice.backup.newest_changeset or 0).count()
        if isinstance(choice.limit, int):
            return Changeset.objects.filter(pk__gt=choice.limit).count()
        open_still = Q(finished_at=None, created_at__gt=choice.limit)
        return Changeset.objects.filter(Q(finished_at__gt=choice.limit) | open_still).count()
    except DatabaseError:
        return 0


def then_and_now(choice: ChoiceForm) -> list[dict[str, Any]]:
    """Return of each table that people know how many rows there were, and how many there are.

    Up to a changeset nobody has counted them.
    """
    if choice.limit is not None:
        return []
    counts, names = choice.backup.row_counts, _names()
    tracked = [model.table for model in tracked_models()]
    lines = []
    for table in choice.tables or tracked:
        model, name = names.get(table, (None, table))
        lines.append({"name": name, "then": counts.get(table, 0), "now": _count(model)})
    return lines


def _count(model: Any) -> int | None:
    try:
        return None if model is None else model._base_manager.count()
    except DatabaseError:
        return None  # What is damaged cannot be counted, and is just what a restore is for.


def _names() -> dict[str, tuple[Any, str]]:
    models = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]
    return {
        model._meta.db_table: (model, str(model._meta.verbose_name_plural)) for model in models if not model._meta.proxy
    }


def _tables(backup: Backup) -> list[tuple[str, str]]:
    """Return the tables that can be chosen, in words."""
    names = _names()
    return [(table, f"{names[table][1]}: {backup.row_counts[table]:,} rows") for table in offered(backup)]
