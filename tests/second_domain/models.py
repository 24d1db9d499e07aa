"""Operators, whose keys Python makes, and stations, whose keys the database makes."""

from uuid import uuid4

from django.db import models
from django.db.models import Q

from apps.changesets.tracking import TrackedModel, Tracking


class Operator(TrackedModel):
    """Who runs stations."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    code = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=80)

    tracking = Tracking(filter_by="id")

    class Meta(TrackedModel.Meta):
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


class Station(TrackedModel):
    """Where trains stop; `number` stays when `code` is given to another one."""

    number = models.CharField(max_length=20, unique=True, null=True, blank=True)
    code = models.CharField(max_length=10, unique=True)
    name = models.CharField(max_length=80)
    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, related_name="stations")
    opened = models.DateField(null=True, blank=True)
    platforms = models.PositiveSmallIntegerField(null=True, blank=True)
    upstream = models.JSONField(null=True, blank=True, editable=False)
    active = models.BooleanField(default=True)

    tracking = Tracking(stable_key="number", filter_by="operator")

    class Meta(TrackedModel.Meta):
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["operator", "name"], condition=Q(active=True), name="active_station_name")
        ]

    def __str__(self) -> str:
        return self.name
