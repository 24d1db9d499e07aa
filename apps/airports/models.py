"""Airports as OurAirports gives them and as stewards correct them."""

from django.db import models

from apps.base.fields import FollowsName, SearchNameField
from apps.base.models import City, Country
from apps.changesets.tracking import TrackedModel, Tracking


class AirportType(models.TextChoices):
    """The types that OurAirports knows (https://ourairports.com/help/data-dictionary.html)."""

    LARGE = "large_airport", "Large airport"
    MEDIUM = "medium_airport", "Medium airport"
    SMALL = "small_airport", "Small airport"
    HELIPORT = "heliport", "Heliport"
    SEAPLANE_BASE = "seaplane_base", "Seaplane base"
    BALLOONPORT = "balloonport", "Balloonport"
    CLOSED = "closed", "Closed"


class Airport(FollowsName, TrackedModel):
    """An airport, heliport or the like; `source_id` stays when `ident` is reassigned."""

    ident = models.CharField(max_length=16, primary_key=True)
    source_id = models.BigIntegerField("OurAirports id", unique=True, null=True, blank=True)
    iata_code = models.CharField("IATA code", max_length=8, null=True, blank=True)  # noqa: DJ001 - absent is NULL
    name = models.CharField(max_length=255)
    search_name = SearchNameField(max_length=255, editable=False)
    airport_type = models.CharField("type", max_length=32, choices=AirportType.choices)
    latitude_deg = models.FloatField("latitude", null=True, blank=True)
    longitude_deg = models.FloatField("longitude", null=True, blank=True)
    elevation_ft = models.IntegerField("elevation (ft)", null=True, blank=True)
    iso_country = models.CharField("country code", max_length=2, blank=True, default="")
    iso_region = models.CharField("region code", max_length=10, blank=True, default="")
    municipality = models.CharField(max_length=255, blank=True, default="")
    # Absent is NULL, which costs least: most airports have few of these, and not every file has all columns.
    gps_code = models.CharField(  # noqa: DJ001 - absent is NULL
        "GPS code", max_length=8, null=True, blank=True, help_text="As in flight plans; often it is the ICAO code."
    )
    icao_code = models.CharField(  # noqa: DJ001 - absent is NULL
        "ICAO code", max_length=8, null=True, blank=True, help_text="The four characters that ICAO gives, if any."
    )
    local_code = models.CharField(  # noqa: DJ001 - absent is NULL
        max_length=16, null=True, blank=True, help_text="As the authority of its country calls it."
    )
    scheduled_service = models.BooleanField(
        null=True, blank=True, help_text="Whether airlines fly there by a timetable."
    )
    keywords = models.CharField(  # noqa: DJ001 - absent is NULL
        max_length=1000, null=True, blank=True, help_text="Other names and codes, with commas between."
    )
    # The last applied upstream values: the base of the three-way merge, reverted with the row.
    upstream = models.JSONField("last upstream values", null=True, blank=True, editable=False)
    country = models.ForeignKey(Country, null=True, blank=True, on_delete=models.PROTECT, related_name="airports")
    city = models.ForeignKey(City, null=True, blank=True, on_delete=models.SET_NULL, related_name="airports")
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    tracking = Tracking(stable_key="source_id", filter_by="country", point=("latitude_deg", "longitude_deg"))

    class Meta(TrackedModel.Meta):
        ordering = ["ident"]
        permissions = [
            ("clear_links", "Can clear the links of many airports"),
            ("relink", "Can relink many airports"),
            ("delete_recent_import", "Can delete what the newest import created"),
            ("resolve_duplicates", "Can resolve duplicate IATA codes"),
        ]
        indexes = [models.Index(fields=["iata_code"], name="airport_iata_code")]

    def __str__(self) -> str:
        return f"{self.ident} · {self.name}"
