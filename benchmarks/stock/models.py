"""The same columns as the console's tables, with simple-history as it comes."""

from django.db import models
from simple_history.models import HistoricalRecords


class Country(models.Model):
    iso_code = models.CharField(max_length=2, unique=True)
    name = models.CharField(max_length=255)
    search_name = models.CharField(max_length=255)
    slug = models.CharField(max_length=255)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    history = HistoricalRecords()

    class Meta:
        app_label = "stock"

    def __str__(self) -> str:
        return self.iso_code


class City(models.Model):
    country = models.ForeignKey(Country, on_delete=models.PROTECT)
    name = models.CharField(max_length=255)
    search_name = models.CharField(max_length=255)
    slug = models.CharField(max_length=255)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    history = HistoricalRecords()

    class Meta:
        app_label = "stock"
        constraints = [models.UniqueConstraint(fields=["country", "search_name"], name="stock_city_in_country")]

    def __str__(self) -> str:
        return self.name


class Airport(models.Model):
    ident = models.CharField(max_length=16, primary_key=True)
    source_id = models.BigIntegerField(null=True)
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
    gps_code = models.CharField(max_length=8, blank=True)
    icao_code = models.CharField(max_length=8, blank=True)
    local_code = models.CharField(max_length=16, blank=True)
    scheduled_service = models.BooleanField(null=True)
    keywords = models.CharField(max_length=1000, blank=True)
    country = models.ForeignKey(Country, null=True, on_delete=models.PROTECT)
    city = models.ForeignKey(City, null=True, on_delete=models.SET_NULL)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    history = HistoricalRecords()

    class Meta:
        app_label = "stock"

    def __str__(self) -> str:
        return self.ident
