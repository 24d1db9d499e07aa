"""A form whose values are checked by the rules of the columns: what no file may say, no form may say."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError

from apps.changesets.bulk.rules import Beside, Following
from apps.changesets.fields import field_of
from apps.changesets.history.values import EMPTY
from apps.changesets.pages.forms import RecordedForm
from apps.imports.mapping.columns import Column
from apps.imports.plan.pinned_rows import pinned_rows
from apps.imports.registry import spec_for
from apps.imports.spec import ImportSpec
from apps.imports.staging.upstream_values import LiveTable


class CheckedForm(RecordedForm):
    """A form of an object that is imported, too: what the person changed is parsed as a correction of a file is."""

    @property
    def _spec(self) -> ImportSpec:
        return spec_for(self._meta.model)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for column in self._spec.columns:
            name = column.field
            if name in self.fields and name in self.changed_data and not column.refers and name in cleaned:
                [(cleaned[name], why)] = _parsed(column, [cleaned[name]])
                if why:
                    self.add_error(name, ValidationError(why))
        for beside in self.rules_beside():
            self._check_beside(beside, cleaned)
        return cleaned

    def _check_beside(self, beside: Beside, cleaned: dict[str, Any]) -> None:
        value, other = cleaned.get(beside.field), cleaned.get(beside.other)
        asked = value and other and {beside.field, beside.other} & {*self.changed_data}
        if asked and (why := beside.why(value, other)):
            self.add_error(beside.field, ValidationError(why))

    # -- the same rules for many objects at once -------------------------------------------------------------------

    def rules_beside(self) -> Iterable[Beside]:
        """Return the rules of two fields: those of the form, and those of the columns."""
        of_columns = [
            Beside(column.field, column.beside[0], _in_a_sentence(column.beside[1]))
            for column in self._spec.columns
            if column.beside is not None
        ]
        return [*super().rules_beside(), *of_columns]

    def clean_values(self, name: str, values: Sequence[Any]) -> list[tuple[Any, str]]:
        cleaned = super().clean_values(name, values)
        column = next((column for column in self._spec.columns if column.field == name and not column.refers), None)
        if column is None:
            return cleaned
        taken = [place for place, (_value, why) in enumerate(cleaned) if not why]
        parsed = _parsed(column, [cleaned[place][0] for place in taken])
        to_python = field_of(self._meta.model, name).to_python
        for place, (value, why) in zip(taken, parsed, strict=True):
            cleaned[place] = (None if why else to_python(value)), why
        return cleaned

    def followings(self, name: str) -> Iterable[Following]:
        """Return what follows by the declaration of imports, but for what people edit and upstream tells."""
        spec, model = self._spec, self._meta.model
        for derived in spec.derived:
            if derived.stored and derived.follows == name and not field_of(model, derived.field).editable:
                yield Following(derived.field, name, derived.derive, always=True)
        for follower in spec.followers:
            if name in (follower.field, follower.follows):
                yield Following(follower.field, follower.follows, _of_many(follower.make))

    def count_pinned(self, name: str, keys: str) -> int:
        live = LiveTable("default", self._spec)
        rows, params = pinned_rows(live)
        number: int = live.value(
            "SELECT COUNT(DISTINCT p.old_pk) FROM ({rows}) p WHERE p.field = %s AND p.old_pk IN ({keys})",
            [*params, name],
            rows=rows,
            keys=keys,
        )
        return number


def _parsed(column: Column, values: Sequence[Any]) -> list[tuple[Any, str]]:
    """Return each value as the column takes it by hand, with the sentence that refuses it; what is empty stays."""
    given = [place for place, value in enumerate(values) if value not in EMPTY]
    parsed = [(value, "") for value in values]
    if given:
        taken, bad = column.by_hand([str(values[place]) for place in given])
        for place, value in zip(given, taken, strict=True):
            parsed[place] = (value, "")
        for cell in bad:
            parsed[given[cell.row]] = (values[given[cell.row]], _sentence(cell.hint))
    return parsed


def _of_many(make: Callable[[str], str]) -> Callable[[list[Any]], list[Any]]:
    return lambda texts: list(map(make, texts))


def _in_a_sentence(why: Callable[[str, str], str]) -> Callable[[str, str], str]:
    return lambda value, other: _sentence(hint) if (hint := why(value, other)) else ""


def _sentence(hint: str) -> str:
    return f"{hint[:1].upper()}{hint[1:]}{'' if hint.endswith('?') else '.'}"
