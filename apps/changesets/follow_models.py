"""What people follow, how far each was told of it, and what lets a program read it."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class Follow(models.Model):
    """What a person wants to hear of: a changeset, a saved view, or an object with what is linked to it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # What it is, as one word: `changeset:41`, `view:7`, `base.country/pk:5`.
    about = models.CharField(max_length=400)
    changeset = models.ForeignKey("changesets.Changeset", null=True, on_delete=models.CASCADE, related_name="+")
    view = models.ForeignKey("changesets.SavedView", null=True, on_delete=models.CASCADE, related_name="+")
    # Of an object, as a Comment has them.
    model = models.CharField(max_length=100, blank=True, default="")
    object_key = models.CharField(max_length=270, blank=True, default="")
    object_name = models.CharField(max_length=255, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "about"], name="follow_once")]

    def __str__(self) -> str:
        return self.object_name or str(self.view or self.changeset)


class Digest(models.Model):
    """How far a person who follows something was told by mail, and the address of the console as they know it."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    cursor = models.TextField()
    told_until = models.DateTimeField(default=timezone.now)
    site = models.CharField(max_length=300)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"Digest for {self.user}"


class FeedToken(models.Model):
    """What lets a program read what a person follows; no backup has it, for the name of its table."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    hashed = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"Feed of {self.user}"
