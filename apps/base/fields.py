"""A text column that follows another one."""

from typing import Any

from django.db import models

from apps.base.text import search_form


class SearchNameField(models.CharField):
    """The comparable form of another text field, kept true by save() and bulk_create()."""

    def __init__(self, *args: Any, source: str = "name", **kwargs: Any):
        self.source = source
        super().__init__(*args, **kwargs)

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        value = search_form(getattr(model_instance, self.source) or "")
        setattr(model_instance, self.attname, value)
        return value

    def deconstruct(self) -> tuple:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "source": self.source}


class FollowsName(models.Model):
    """Models whose search_name is saved whenever their name is, also with update_fields."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        fields = kwargs.get("update_fields")
        if fields is not None and "name" in fields:
            kwargs["update_fields"] = {*fields, "search_name"}
        super().save(*args, **kwargs)
