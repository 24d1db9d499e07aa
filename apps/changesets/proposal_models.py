"""What a person asked for that somebody else has to confirm, because it is about so many objects."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class Proposal(models.Model):
    """An act as one person wants it done; nothing is done before another person has looked at it and confirmed it.

    It is gone after a day, as plans are, when it was carried out (also by a worker), and when who asked withdraws it.
    """

    act = models.CharField(max_length=40)
    # Of the act and all that it is about, whoever asks: what another person confirms has the same, or is another act.
    key = models.CharField(max_length=40)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    asked_by_name = models.CharField(max_length=255)
    reason = models.TextField()
    title = models.TextField()
    size = models.BigIntegerField()
    # What it takes to see and confirm it: the permission, and the model that one must see.
    permission = models.CharField(max_length=200)
    model = models.CharField(max_length=100)
    # Where another person has the plan made, and what is posted there for that.
    address = models.TextField()
    posted = models.JSONField()
    # The plan that has the chosen rows, where they are too many for an address.
    stored_plan = models.BigIntegerField(null=True)
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["asked_by", "key"], name="proposal_once")]

    def __str__(self) -> str:
        return self.title
