"""The form of changing a field of many objects: which field, in which way, and what that way asks for."""

import json
from copy import deepcopy
from functools import partial
from typing import Any, cast

from django import forms
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import FieldError, MultipleObjectsReturned, ObjectDoesNotExist, ValidationError
from django.db import models
from django.forms.models import modelform_factory
from django.http import HttpRequest, QueryDict

from apps.changesets.bulk.edits import Edit
from apps.changesets.bulk.ways import CLEAR, REPLACE, ROUND, SET, WAYS, may_copy
from apps.changesets.fields import AnyField, field_of, target_of
from apps.changesets.history.values import EMPTY, field_label, in_words, value_label
from apps.changesets.pages.forms import OWN_FIELDS, RecordedForm
from apps.changesets.pages.options import OptionsForm

YES, NO = ("true", "yes", "1", "on"), ("false", "no", "0", "off")
# How the inputs are given.
INPUTS = {
    "find": forms.CharField(label="Find", max_length=1000, strip=False),
    "replacement": forms.CharField(label="Put in its place", max_length=1000, strip=False, required=False),
    "places": forms.IntegerField(label="Digits after the point", min_value=-9, max_value=9, initial=0),
}
NO_FIELD = "“%(value)s” is no field that can be changed here: choose one of these."
NO_VALUE = "Give the new value, or choose to clear it."


class SetFieldForm(OptionsForm):
    """Asks for the field and the way first, then for what the way asks for; `shown` tells for which of them that is."""

    field = forms.ChoiceField(label="Field", error_messages={"required": "Choose a field."})
    how = forms.ChoiceField(
        label="What to do", choices=[(name, way.label) for name, way in WAYS.items()], initial=SET, required=False
    )

    rules: RecordedForm

    def stand_on(self, model_admin: Any, request: HttpRequest) -> None:
        """Take the fields and rules of the form that the person would change one object by."""
        self.rules = _rules_of(model_admin, request)
        model, hidden = model_admin.model, model_admin.hidden_links(request)
        self.readable = [f for f in model._meta.concrete_fields if f.name not in hidden and f.name != "id"]
        choices = [(name, field_label(model, name).capitalize()) for name in _editable(self.rules)]
        shown = cast(forms.ChoiceField, self.fields["field"])
        shown.choices = [("", "Choose a field"), *choices]
        shown.error_messages["invalid_choice"] = NO_FIELD

    def take(self, posted: QueryDict) -> None:
        name, how = posted.get("field", ""), posted.get("how") or SET
        if not name and "how" not in posted and "yes" not in (posted.get("confirm"), posted.get("post")):
            return
        shown, known = f"{name}.{how}", name in dict(cast(Any, self.fields["field"]).choices) and name and how in WAYS
        # Inputs for another field, or another way, are those of before.
        fits = posted.get("shown", shown) == shown
        inputs = WAYS[how].inputs if known else ()
        if known:
            self._ask_for(field_of(self.rules._meta.model, str(name)), inputs)
            self.fields["shown"] = forms.CharField(initial=shown, required=False, widget=forms.HiddenInput)
        confirmed = "yes" in (posted.get("confirm"), posted.get("post"))
        if confirmed or not known or (fits and all(given in posted for given in inputs)):
            data = posted.copy()
            data.update({"how": how} if "how" not in posted else {})
            data["shown"] = shown
            for given in () if fits else inputs:
                data.pop(given, None)
            self.data, self.is_bound = data, True
        else:
            self.initial = {"field": name, "how": how}

    def _ask_for(self, field: AnyField, inputs: tuple[str, ...]) -> None:
        for name in inputs:
            if name == "value":
                self.fields[name] = _value_field(self.rules.fields[field.name], field)
            elif name == "source":
                sources = [(f.name, str(f.verbose_name).capitalize()) for f in self.readable if may_copy(f, field)]
                self.fields[name] = forms.ChoiceField(label="The field", choices=sources)
            else:
                self.fields[name] = deepcopy(INPUTS[name])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors or not cleaned.get("field"):
            return cleaned
        field, how = field_of(self.rules._meta.model, cleaned["field"]), cleaned["how"]
        way = WAYS[how]
        if not way.fits(field):
            self.add_error("how", f"That is for {way.kind}: {field.verbose_name} is something else.")
        elif how in (SET, CLEAR):
            self._take_constant(field, how, cleaned)
        elif how == ROUND and isinstance(field, models.IntegerField) and cleaned["places"] > -1:
            self.add_error("places", "It is a whole number: give -1 to round it to tens, -2 to hundreds.")
        return cleaned

    def _take_constant(self, field: AnyField, how: str, cleaned: dict[str, Any]) -> None:
        raw, name = cleaned.get("value"), "value" if how == SET else "how"
        if how == SET and "value" not in self.data:
            self.add_error("value", NO_VALUE)
            return
        try:
            value, why = _cleaned(self.rules, field, None if how == CLEAR else raw)
        except ValidationError as error:
            value, why = None, " ".join(error.messages)
        if why:
            self.add_error(name, why)
        cleaned["value"] = value
        if field.is_relation:
            # The picker shows objects by their keys only.
            cast(QueryDict, self.data)["value"] = "" if value is None else str(value)

    def options(self) -> dict[str, Any]:
        """Return the edit, as soon as all that it needs is chosen."""
        if not (self.is_bound and self.is_valid()):
            return {}
        field, how = field_of(self.rules._meta.model, self.cleaned_data["field"]), self.cleaned_data["how"]
        inputs: dict[str, Any] = {name: self.cleaned_data.get(name) for name in ("value", *WAYS[how].inputs)}
        if "source" in inputs:
            inputs["source"] = field_of(self.rules._meta.model, str(inputs["source"]))
        return {"edit": Edit(field, how, cast(Any, self.rules), inputs, _words(field, how, inputs))}


def _rules_of(model_admin: Any, request: HttpRequest) -> RecordedForm:
    """Return an empty form of the model as the person would see it on the page of an object, without its origins."""
    blank = model_admin.model()
    names = flatten_fieldsets(model_admin.get_fieldsets(request, blank))
    readonly = {*model_admin.get_readonly_fields(request, blank), *OWN_FIELDS}
    fields = [name for name in names if name not in readonly and isinstance(name, str)]
    build = partial(model_admin.formfield_for_dbfield, request=request)
    made = modelform_factory(model_admin.model, form=model_admin.form, fields=fields, formfield_callback=build)
    return cast(RecordedForm, made())


def _editable(form: RecordedForm) -> list[str]:
    """Return the fields of the form that can be changed; a primary key is chosen once."""
    names = [name for name in form.fields if name not in OWN_FIELDS]
    return [name for name in names if not field_of(form._meta.model, name).primary_key]


def _value_field(of_form: forms.Field, field: AnyField) -> forms.Field:
    """Return what asks for a value as the form of an object does; the form's rules are asked afterwards."""
    widget = of_form.widget
    if isinstance(widget, RelatedFieldWidgetWrapper):
        widget = widget.widget
    if isinstance(field, models.BooleanField):
        unknown = [("", "Unknown")] if field.null else []
        widget = forms.Select(choices=[*unknown, ("true", "Yes"), ("false", "No")])
    return forms.Field(label="New value", required=False, widget=widget, help_text=of_form.help_text)


def _cleaned(rules: RecordedForm, field: AnyField, raw: Any) -> tuple[Any, str]:
    """Return a value that a person gave, as the form takes it, with the sentence that refuses it, or ""."""
    if isinstance(field, models.BooleanField):
        word = str(raw or "").strip().casefold()
        if not word and not field.null:
            return None, str(rules.fields[field.name].error_messages["required"])
        if word and word not in (*YES, *NO):
            return None, "Write true or false."
        raw = None if not word else word in YES
        return raw, ""
    if field.is_relation:
        asked = cast(forms.ModelChoiceField, rules.fields[field.name])
        found = asked.clean(_key_named(asked, field, str(raw or "").strip()))
        return (None if found is None else found.pk), ""
    [(value, why)] = rules.clean_values(field.name, ["" if raw is None else raw])
    return value, why


def _key_named(asked: forms.ModelChoiceField, field: AnyField, typed: str) -> Any:
    """Return the key of the object that is called so: by its key, a unique code, or its name; else what was typed."""
    model, objects = target_of(field), asked.queryset.order_by() if asked.queryset is not None else None
    if not typed or objects is None:
        return typed
    codes = [f.name for f in model._meta.concrete_fields if f.unique and isinstance(f, models.CharField)]
    for lookup in ("pk", *codes, *(f"{code}__iexact" for code in codes), "name__iexact"):
        try:
            return objects.get(**{lookup: typed}).pk
        except (ObjectDoesNotExist, ValueError, TypeError, OverflowError, ValidationError, FieldError):
            continue
        except MultipleObjectsReturned as error:
            names = model._meta.verbose_name_plural
            raise ValidationError(f"Several {names} are called {typed}: choose one, or give its number.") from error
    return typed


def _words(field: AnyField, how: str, inputs: dict[str, Any]) -> str:
    """Return in words what becomes of the field, which is also what tells one choice from another."""
    if how == CLEAR:
        return "cleared"
    if how == SET:
        value = inputs["value"]
        if field.is_relation and value is not None:
            value = target_of(field)._base_manager.get(pk=value)
        return f"set to “{in_words(value_label(field, value))}”" if value not in EMPTY else "cleared"
    if how == REPLACE:
        return f"{json.dumps(inputs['find'], ensure_ascii=False)} replaced by " + json.dumps(
            inputs["replacement"], ensure_ascii=False
        )
    if how == ROUND:
        return f"rounded to {inputs['places']} digits after the point"
    return {"upper": "written in capitals", "trim": "without needless spaces"}.get(how) or (
        f"copied from {inputs['source'].verbose_name}"
    )
