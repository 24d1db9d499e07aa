"""An import-export resource as its documentation teaches: one row at a time, links made before each row."""

from typing import Any

from import_export import fields, resources
from import_export.instance_loaders import CachedInstanceLoader
from import_export.widgets import IntegerWidget

from benchmarks.peers.models import Airport, City, Country


class AirportResource(resources.ModelResource):
    """Reads the columns of OurAirports; makes the Country and the City of a row when they are missing."""

    source_id = fields.Field(attribute="source_id", column_name="id", widget=IntegerWidget())
    airport_type = fields.Field(attribute="airport_type", column_name="type")

    class Meta:
        model = Airport
        import_id_fields = ("ident",)
        exclude = ("country", "city", "active", "created_at", "updated_at", "search_name")

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        """Remember the existing places, so that a link costs no query."""
        self.countries = {country.iso_code: country for country in Country.objects.all()}
        self.cities = {(city.country_id, city.search_name): city for city in City.objects.all()}

    def before_save_instance(self, instance: Airport, row: dict, **kwargs: Any) -> None:
        """Fill the fields that the file does not have."""
        instance.search_name = instance.name.casefold()
        instance.active = instance.airport_type != "closed"
        instance.country = self.country_of(instance.iso_country)
        instance.city = self.city_of(instance) if instance.municipality else None

    def country_of(self, code: str) -> Country:
        """Return the country with this code, made when missing."""
        if code not in self.countries:
            self.countries[code] = Country.objects.create(iso_code=code, name=code, search_name=code, slug=code)
        return self.countries[code]

    def city_of(self, airport: Airport) -> City:
        """Return the city of this airport, made when missing."""
        name = " ".join(airport.municipality.casefold().split())
        key = (airport.country.pk, name)
        if key not in self.cities:
            self.cities[key] = City.objects.create(
                country=airport.country,
                name=airport.municipality,
                search_name=name,
                slug=name,
                latitude=airport.latitude_deg,
                longitude=airport.longitude_deg,
            )
        return self.cities[key]


class BestResource(AirportResource):
    """The same, set to leave rows alone that did not change, and to read all rows at once instead of one by one."""

    class Meta(AirportResource.Meta):
        instance_loader_class = CachedInstanceLoader
        skip_unchanged = True
        report_skipped = False
