"""The columns of airports in a file; an import of corrections reads the same ones."""

from apps.airports.models import Airport
from apps.imports.export.tables import ExportResource


class AirportResource(ExportResource):
    """Airports by their keys, with what upstream knows and people correct."""

    class Meta:
        model = Airport
        fields = (
            "source_id",
            "ident",
            "iata_code",
            "name",
            "airport_type",
            "latitude_deg",
            "longitude_deg",
            "elevation_ft",
            "iso_country",
            "iso_region",
            "municipality",
        )
