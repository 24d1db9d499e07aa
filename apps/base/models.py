"""Countries and cities: what airports are linked to."""

from collections.abc import Collection
from typing import Any

from django.db import models

from apps.base.fields import FollowsName, SearchNameField
from apps.base.text import ascii_form, slug_stem
from apps.changesets.tracking import TrackedModel, Tracking


class Country(FollowsName, TrackedModel):
    """A country or territory with an ISO 3166-1 code."""

    iso_code = models.CharField("ISO code", max_length=2, unique=True)
    iso3 = models.CharField("ISO3 code", max_length=3, blank=True, default="")
    name = models.CharField(max_length=255)
    search_name = SearchNameField(max_length=255, editable=False)
    slug = models.SlugField(max_length=255, blank=True, default="", editable=False, db_index=False)
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    tracking = Tracking(filter_by="id", point=("latitude", "longitude"))

    class Meta(TrackedModel.Meta):
        ordering = ["name"]
        verbose_name_plural = "countries"

    def __str__(self) -> str:
        return f"{self.name} ({self.iso_code})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self.slug:
            self.slug = slug_stem(self.name)
        super().save(*args, **kwargs)


class City(FollowsName, TrackedModel):
    """A city or municipality of a country."""

    country = models.ForeignKey(Country, on_delete=models.PROTECT, related_name="cities")
    name = models.CharField(max_length=255)
    ascii_name = models.CharField("ASCII name", max_length=255, blank=True, default="")
    search_name = SearchNameField(max_length=255, editable=False)
    slug = models.SlugField(max_length=255, blank=True, default="", editable=False, db_index=False)
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    timezone = models.CharField("time zone", max_length=64, blank=True, default="")
    population = models.BigIntegerField(null=True, blank=True)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    tracking = Tracking(filter_by="country", point=("latitude", "longitude"))

    class Meta(TrackedModel.Meta):
        ordering = ["name"]
        verbose_name_plural = "cities"
        permissions = [("merge_city", "Can merge cities")]
        constraints = [
            models.UniqueConstraint(fields=["country", "search_name"], name="city_name_in_country"),
            models.UniqueConstraint(fields=["country", "slug"], name="city_slug_in_country"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        fields = kwargs.get("update_fields")
        if not self.ascii_name or self._ascii_name_follows(fields):
            self.ascii_name = ascii_form(self.name)
            if fields is not None and "name" in fields:
                kwargs["update_fields"] = {*fields, "ascii_name"}
        if not self.slug:
            self.slug = free_slug(self.country_id, self.name)
        super().save(*args, **kwargs)

    def _ascii_name_follows(self, fields: Collection[str] | None) -> bool:
        """Whether the name is saved anew, and the ASCII name is still what was made of the one before."""
        if self._state.adding or (fields is not None and "name" not in fields):
            return False
        before = City.objects.using(self._state.db).filter(pk=self.pk).values_list("name", "ascii_name").first()
        return before is not None and before[0] != self.name and ascii_form(before[0]) == before[1] == self.ascii_name


def free_slug(country_id: int, name: str) -> str:
    """Return the first of name, name-2, name-3 ... as a slug that no city of the country has yet."""
    stem = slug_stem(name)
    taken = set(
        City.objects.filter(country_id=country_id, slug__startswith=stem).order_by().values_list("slug", flat=True)
    )
    slug, number = stem, 1
    while slug in taken:
        number += 1
        slug = f"{stem}-{number}"
    return slug
