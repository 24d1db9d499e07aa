"""The same tables as the console's, for a project without it; the installed package writes their history."""

from django.apps import apps
from django.db import models


class Country(models.Model):
    iso_code = models.CharField(max_length=2, unique=True)
    iso3 = models.CharField(max_length=3, blank=True, default="")
    name = models.CharField(max_length=255)
    search_name = models.CharField(max_length=255)
    slug = models.CharField(max_length=255)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        app_label = "peers"
        db_table = "base_country"

    def __str__(self) -> str:
        return self.iso_code


class City(models.Model):
    country = models.ForeignKey(Country, on_delete=models.PROTECT)
    name = models.CharField(max_length=255)
    ascii_name = models.CharField(max_length=255, blank=True, default="")
    search_name = models.CharField(max_length=255)
    slug = models.CharField(max_length=255)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    timezone = models.CharField(max_length=64, blank=True, default="")
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        app_label = "peers"
        db_table = "base_city"
        constraints = [
            models.UniqueConstraint(fields=["country", "search_name"], name="peers_city_in_country"),
        ]

    def __str__(self) -> str:
        return self.name


class Airport(models.Model):
    ident = models.CharField(max_length=16, primary_key=True)
    source_id = models.BigIntegerField(null=True, db_index=True)
    iata_code = models.CharField(max_length=8, null=True, db_index=True)  # noqa: DJ001 - as in the console
    name = models.CharField(max_length=255)
    search_name = models.CharField(max_length=255)
    airport_type = models.CharField(max_length=32)
    latitude_deg = models.FloatField(null=True)
    longitude_deg = models.FloatField(null=True)
    elevation_ft = models.IntegerField(null=True)
    iso_country = models.CharField(max_length=2)
    iso_region = models.CharField(max_length=10)
    municipality = models.CharField(max_length=255, blank=True)
    gps_code = models.CharField(max_length=8, null=True)  # noqa: DJ001
    icao_code = models.CharField(max_length=8, null=True)  # noqa: DJ001
    local_code = models.CharField(max_length=16, null=True)  # noqa: DJ001
    scheduled_service = models.BooleanField(null=True)
    keywords = models.CharField(max_length=1000, null=True)  # noqa: DJ001
    country = models.ForeignKey(Country, null=True, on_delete=models.PROTECT)
    city = models.ForeignKey(City, null=True, on_delete=models.SET_NULL)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        app_label = "peers"
        db_table = "airports_airport"

    def __str__(self) -> str:
        return self.ident


TRACKED = (Country, City, Airport)
if apps.is_installed("simple_history"):
    import simple_history

    for model in TRACKED:
        simple_history.register(model)
if apps.is_installed("reversion"):
    import reversion

    for model in TRACKED:
        reversion.register(model)
if apps.is_installed("pghistory"):
    import pghistory

    for model in TRACKED:
        pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())(model)
