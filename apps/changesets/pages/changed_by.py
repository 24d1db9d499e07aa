"""The filter of a list to objects that a changeset touched, by its number in the address."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.changesets.models import Changeset
from apps.changesets.pages import links
from apps.changesets.text import whole_number
from apps.changesets.tracking import tracked_for

PARAMETER = "changeset"


class ChangedByFilter(admin.SimpleListFilter):
    """Keeps the living objects that a changeset touched; it shows only where an address asks for it."""

    title = "changeset"
    parameter_name = PARAMETER

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        number = self.used_parameters.get(PARAMETER, "")
        if not number:
            return []
        changeset = Changeset.objects.filter(pk=_number(number)).first()
        return [(number, f"Changed by {changeset or f'#{number[:20]}'}")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        number = self.value()
        if not number:
            return queryset
        model = queryset.model
        touched = tracked_for(model).history_model.objects.filter(changeset_id=_number(number))
        return queryset.filter(pk__in=touched.values(model._meta.pk.attname))


def list_of_changed(model: type[Any], changeset: int) -> str:
    """Return the address of a model's list with what a changeset touched."""
    return f"{links.list_url(model)}?{PARAMETER}={changeset}"


def _number(text: str) -> int:
    """The number asked for, or one that no changeset has."""
    return whole_number(text) or 0
