"""The form of a recorded object."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, cast

from django import forms
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.core.exceptions import ValidationError
from django.db import models
from django.http import QueryDict
from django.utils.html import format_html
from django.utils.text import capfirst

from apps.changesets.bulk.rules import Beside, Following
from apps.changesets.fields import field_of
from apps.changesets.history import versions, words
from apps.changesets.history.values import in_words, names_of, value_label
from apps.changesets.text import whole_number

OWN_FIELDS = ("change_reason", "seen_version")


class RecordedForm(forms.ModelForm):
    """A form of a tracked object that changes only what the person changed.

    It carries the version that the person saw. What others changed meanwhile is left as they made it; where both
    changed the same field, the form comes back with both values, and saving again is a choice.
    """

    change_reason = forms.CharField(
        label="Reason",
        required=False,
        max_length=1000,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text="Why, for those who read the history. Optional.",
    )
    seen_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    # Why nothing can be saved now, whatever is typed.
    refusal = ""
    # Rules of two fields, and sentences about another object that has the same (`bulk/rules.py`).
    beside: ClassVar[tuple[Beside, ...]] = ()
    taken: ClassVar[Mapping[tuple[str, ...], str]] = {}

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.clashes: dict[str, versions.Moved] = {}
        self.seen_values: dict[str, Any] | None = None
        if self.instance._state.adding:
            return
        self.initial["seen_version"] = versions.newest_version(self.instance)
        if self.is_bound and (seen := self._posted_version()):
            self.seen_values = versions.values_at(self.instance, seen)
            # What counts as changed by the person is what differs from what the person saw.
            seen_values = self.seen_values or {}
            self.initial.update({name: seen_values[name] for name in self._model_fields() if name in seen_values})

    @cached_property
    def changed_data(self) -> list[str]:
        return [name for name in super().changed_data if name not in OWN_FIELDS]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.refusal:
            self.add_error(None, self.refusal)
        if self.instance._state.adding:
            return cleaned
        seen = self._posted_version()
        if seen and (self.seen_values is None or not versions.is_same_object(self.instance, self.seen_values)):
            raise forms.ValidationError("Another object has this key now: open it again and check it first.")
        moved = versions.moved_since(self.instance, seen) if seen and seen != self._newest() else {}
        for name in self._model_fields():
            if name not in self.changed_data:
                cleaned[name] = self._current(name)
            elif name in moved and name in cleaned and _key(cleaned[name]) != moved[name].now:
                self.clashes[name] = moved[name]
        for name, clash in self.clashes.items():
            self.add_error(name, self._clash_sentence(name, clash))
        if self.clashes:
            self._show_as_now()
        return cleaned

    # -- the same rules for many objects at once (`bulk/rules.py`) ---------------------------------------------

    def shows(self, name: str) -> bool:
        """Whether the form has a field, or it is none that a person may not see: those are links."""
        return name in self.fields or not field_of(self._meta.model, name).is_relation

    def rules_beside(self) -> Iterable[Beside]:
        """Return all rules of two fields."""
        return self.beside

    def besides(self, name: str) -> Iterable[Beside]:
        """Return the rules of two fields that a field has a part in, as far as the person may see both."""
        rules = [rule for rule in self.rules_beside() if name in (rule.field, rule.other)]
        return [rule for rule in rules if self.shows(rule.field) and self.shows(rule.other)]

    def followings(self, name: str) -> Iterable[Following]:
        """Return the fields that follow a field, and the one that it follows itself."""
        return ()

    def count_pinned(self, name: str, keys: str) -> int:
        """Return how many of the objects with these keys (a query) have the field pinned against imports."""
        return 0

    def clean_values(self, name: str, values: Sequence[Any]) -> list[tuple[Any, str]]:
        """Return each value as the form takes it for a field, with the sentence that refuses it, or ""."""
        return [self._clean_value(name, value) for value in values]

    def _clean_value(self, name: str, value: Any) -> tuple[Any, str]:
        field, asked = field_of(self._meta.model, name), self.fields[name]
        try:
            if field.is_relation and value not in asked.empty_values:
                return value, ""  # The key of an object that is there.
            self.cleaned_data = {name: asked.clean(value)}
            if (own := getattr(self, f"clean_{name}", None)) is not None:
                self.cleaned_data[name] = own()
            field.run_validators(self.cleaned_data[name])
        except ValidationError as error:
            return None, " ".join(error.messages)
        return self.cleaned_data[name], ""

    # -- what the person changed, and what others changed meanwhile --------------------------------------------

    def _clash_sentence(self, name: str, clash: versions.Moved) -> str:
        return format_html(
            "{} changed this to “{}” after you opened the page ({}); you entered “{}”. "
            "Save again to use yours, or enter theirs.",
            capfirst(words.person(clash.changeset)),
            self._label(name, clash.now),
            naturaltime(clash.changeset.created_at),
            self._label(name, _key(self.cleaned_data[name])),
        )

    def _show_as_now(self) -> None:
        """Show the form again with the newest version, so that others' changes do not look like this person's."""
        self.data = data = cast(QueryDict, self.data).copy()
        data[self.add_prefix("seen_version")] = str(self._newest() or "")
        for name in self._model_fields():
            if name in self.changed_data:
                continue
            key, value = self.add_prefix(name), self.fields[name].prepare_value(_key(self._current(name)))
            if isinstance(self.fields[name], forms.BooleanField) and not value:
                data.pop(key, None)
            else:
                data[key] = "" if value is None else value

    def _model_fields(self) -> list[str]:
        return [name for name in self.fields if name not in OWN_FIELDS]

    def _current(self, name: str) -> Any:
        return getattr(self.instance, name)

    def _label(self, name: str, value: Any) -> str:
        field = self.instance._meta.get_field(name)
        names = names_of(field.related_model, [value]) if field.is_relation else None
        return in_words(value_label(field, value, names), empty="nothing")

    def _newest(self) -> int | None:
        return self.initial["seen_version"]

    def _posted_version(self) -> int | None:
        return whole_number(self.data.get(self.add_prefix("seen_version")) or "")


def _key(value: Any) -> Any:
    return value.pk if isinstance(value, models.Model) else value
