"""Operators and stations in the admin."""

from django.contrib import admin

from apps.base.pages.console import ConsoleModelAdmin
from tests.second_domain.models import Operator, Station


@admin.register(Operator)
class OperatorAdmin(ConsoleModelAdmin):
    list_display = ("code", "name")
    search_fields = ("code", "name")


@admin.register(Station)
class StationAdmin(ConsoleModelAdmin):
    list_display = ("name", "code", "operator", "active")
    list_filter = ("active",)
    search_fields = ("code", "name")
    autocomplete_fields = ("operator",)
