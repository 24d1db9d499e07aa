"""What is stored about quality: accepted findings, and counts of moments."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class AcceptedFinding(models.Model):
    """A finding that somebody accepted as known, with the reason and the last day; it is no change of data.

    The object is known by the key that stays with it (`id:3486`), or by its primary key (`pk:KDEN`). Withdrawing keeps
    the row, so that it stays known who accepted what.
    """

    rule = models.CharField(max_length=60)
    model = models.CharField(max_length=100)
    object_key = models.CharField(max_length=270)
    # The name of the object at that time; the object may be deleted.
    object_name = models.CharField(max_length=300, blank=True, default="")
    reason = models.TextField()
    until = models.DateField(null=True, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    actor_name = models.CharField("who", max_length=255, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by_name = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        ordering = ["-id"]
        verbose_name = "accepted finding"
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "object_key"], name="accepted_finding", condition=Q(withdrawn_at=None)
            )
        ]
        permissions = [("view_findings", "Can view findings"), ("accept_findings", "Can accept findings as known")]

    def __str__(self) -> str:
        return f"{self.rule} of {self.object_name or self.object_key}"


class Tally(models.Model):
    """The numbers of findings, accepted ones and links at a moment, for the trend."""

    taken_at = models.DateTimeField(default=timezone.now)
    # The newest changeset by then.
    changeset = models.ForeignKey(
        "changesets.Changeset", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # {code: number} of the findings; {"airports.airport.country": [linked, total]} of the links.
    counts = models.JSONField()
    coverage = models.JSONField(default=dict)
    # {code: number} of the rows that break a rule and are accepted.
    accepted = models.JSONField(default=dict)
    # The state that was counted; the text stays the same while nothing changes.
    stamp = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "tallies"

    def __str__(self) -> str:
        return f"Tally of {self.taken_at:%Y-%m-%d %H:%M}"


class Finding(Tally):
    """The model of findings for the admin; it has no table, because findings are not stored."""

    class Meta:
        proxy = True
        default_permissions = ()
