"""The columns of cities and countries in a file; an import reads the same ones."""

from import_export.fields import Field

from apps.base.models import City, Country
from apps.imports.export.tables import ExportResource


class CountryResource(ExportResource):
    """Countries by their ISO code."""

    class Meta:
        model = Country
        fields = ("iso_code", "iso3", "name", "latitude", "longitude", "active")


class CityResource(ExportResource):
    """Cities by their number; the country is named by its ISO code."""

    country = Field(attribute="country__iso_code", column_name="country")

    class Meta:
        model = City
        fields = (
            "id",
            "country",
            "name",
            "ascii_name",
            "latitude",
            "longitude",
            "timezone",
            "population",
            "active",
        )
