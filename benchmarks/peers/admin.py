"""The stock admin of airports, with the import as the package gives it."""

from django.contrib import admin
from import_export.admin import ImportMixin

from benchmarks.peers.models import Airport
from benchmarks.peers.resource import AirportResource


@admin.register(Airport)
class AirportAdmin(ImportMixin, admin.ModelAdmin):
    """Previews an uploaded file as the package does: every row saved, rolled back, and shown on one page."""

    resource_classes = (AirportResource,)
