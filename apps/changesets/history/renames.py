"""Objects that had other primary keys: who lives on under which, and all history of one object."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import Model, Q, QuerySet

from apps.changesets.history.counts import may_have_renamed
from apps.changesets.history.stable_key import stable_key_of
from apps.changesets.history_models import HistoryRow
from apps.changesets.models import Changeset
from apps.changesets.tracking import Tracked


@dataclass(frozen=True)
class LivesOn:
    """An object that gave a primary key up in a changeset, and lives under another one."""

    obj: Model
    key: Any
    changeset: Changeset

    def __str__(self) -> str:
        return f"{self.key} is now {self.obj}: {self.changeset} renamed it."


@dataclass(frozen=True)
class KeyHistory:
    """A primary key: who has it, and who had it. Its turns are read once, by an index."""

    tracked: Tracked
    key: Any

    @cached_property
    def turns(self) -> list[Any]:
        """The history rows by which an object came to the key or left it, newest first."""
        under = self._rows.filter(**{self._pk: self.key})
        return list(under.exclude(history_type="~").select_related("changeset"))

    @property
    def in_use(self) -> bool:
        """Whether an object has the key: live rows equal their newest history rows."""
        return bool(self.turns) and self.turns[0].history_type == "+"

    def lives_on(self) -> LivesOn | None:
        """Return the object that had the key last and has another one; None where the key is in use, or it is gone."""
        return None if self.in_use else next(iter(self._living(self.turns[:1])), None)

    def earlier_holders(self) -> list[LivesOn]:
        """Return the objects that had the key before the one which has it now, and have other ones."""
        left = [row for row in self.turns if row.history_type == "-"]
        return self._living(left) if self.in_use else []

    def rows(self) -> QuerySet[HistoryRow]:
        """Return the history rows of the object that has the key, or had it last, under all keys it had, newest first.

        Of a renaming, which is recorded as a deletion and a creation, it has only the row of the new key.
        """
        under = self._rows.filter(**{self._pk: self.key})
        stable = stable_key_of(self.tracked, self.turns[0]) if self.turns else None
        if stable is None or self._stable is None:
            return under
        own = [row for row in self.turns if stable_key_of(self.tracked, row) == stable]
        if not any(may_have_renamed(row.changeset, self.tracked) for row in own):
            return under.filter(Q(**{self._stable: stable}) | Q(**{f"{self._stable}__isnull": True}))
        # No index helps, for an object that may have been renamed: the history is read once, for its keys alone.
        of_object = self._rows.filter(**{self._stable: stable}).order_by()
        seen = list(of_object.values_list("history_id", "history_type", "changeset_id", self._pk))
        came: dict[int, set[Any]] = {}
        for _, kind, changeset, key in seen:
            if kind == "+":
                came.setdefault(changeset, set()).add(key)
        halves = [row for row, kind, changeset, key in seen if kind == "-" and came.get(changeset, set()) - {key}]
        whole = self._rows.filter(**{self._stable: stable, f"{self._pk}__in": {key for *_, key in seen}})
        return whole.exclude(history_id__in=halves)

    @property
    def _rows(self) -> QuerySet[HistoryRow]:
        return self.tracked.history_model._base_manager.using("default").order_by("-history_id")

    @property
    def _pk(self) -> str:
        return self.tracked.model._meta.pk.attname

    @property
    def _stable(self) -> str | None:
        return None if self.tracked.stable_field is None else self.tracked.stable_field.attname

    def _living(self, left: list[Any]) -> list[LivesOn]:
        """Return the objects that have another key now than these rows, by which they left it."""
        changesets = {stable_key_of(self.tracked, row): row.changeset for row in reversed(left)}
        changesets.pop(None, None)
        if self._stable is None or not changesets:
            return []
        living = self.tracked.model._base_manager.filter(**{f"{self._stable}__in": list(changesets)})
        return [
            LivesOn(obj, self.key, changesets[stable_key_of(self.tracked, obj)]) for obj in living.exclude(pk=self.key)
        ]
