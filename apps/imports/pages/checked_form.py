"""A form whose values are checked by the rules of the columns: what no file may say, no form may say."""

from typing import Any

from django.core.exceptions import ValidationError

from apps.changesets.pages.forms import RecordedForm
from apps.imports.mapping.columns import Column
from apps.imports.registry import spec_for


class CheckedForm(RecordedForm):
    """A form of an object that is imported, too: what the person changed is parsed as a correction of a file is."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        columns = [column for column in spec_for(self._meta.model).columns if column.field in self.fields]
        for column in columns:
            if column.field in self.changed_data and not column.refers and cleaned.get(column.field) not in (None, ""):
                self._check(column, cleaned)
        for column in columns:
            self._check_beside(column, cleaned)
        return cleaned

    def _check(self, column: Column, cleaned: dict[str, Any]) -> None:
        [value], bad = column.by_hand([str(cleaned[column.field])])
        if bad:
            self.add_error(column.field, ValidationError(_sentence(bad[0].hint)))
        else:
            cleaned[column.field] = value

    def _check_beside(self, column: Column, cleaned: dict[str, Any]) -> None:
        if column.beside is None:
            return
        other, why = column.beside
        value, beside = cleaned.get(column.field), cleaned.get(other)
        if {column.field, other} & {*self.changed_data} and value and beside and (hint := why(value, beside)):
            self.add_error(column.field, ValidationError(_sentence(hint)))


def _sentence(hint: str) -> str:
    return f"{hint[:1].upper()}{hint[1:]}{'' if hint.endswith('?') else '.'}"
