"""A changeset is one recorded act of one person or job, over any number of rows of any tracked table."""

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.utils import timezone

from apps.changesets.processes.request_id import MOST_CHARACTERS

# Who acts: a user, or None for a job.
Actor = User | None
# Who looks: a user, or somebody who has not logged in and may see nothing.
Visitor = User | AnonymousUser


class Kind(models.TextChoices):
    IMPORT = "import", "Import"
    EDIT = "edit", "Edit"
    BULK_ACTION = "bulk_action", "Bulk action"
    RELINK = "relink", "Relink"
    DELETE = "delete", "Delete"
    REVERT = "revert", "Revert"
    RESTORE = "restore", "Restore"
    DIRECT = "direct", "Direct write"
    BASELINE = "baseline", "Baseline"
    MIGRATION = "migration", "Migration"


class Status(models.TextChoices):
    APPLIED = "applied", "Applied"
    REVERTED = "reverted", "Reverted"
    PARTLY_REVERTED = "partly_reverted", "Partly reverted"
    FAILED = "failed", "Failed"


class Changeset(models.Model):
    """Who changed what, why, when and from which file; the rows themselves are in the history tables."""

    kind = models.CharField(max_length=20, choices=Kind.choices)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.APPLIED)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # The name as text outlives the user; for direct writes it is the database's user and application.
    actor_name = models.CharField(max_length=255, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    source_name = models.CharField(max_length=500, blank=True, default="")
    source_sha256 = models.CharField(max_length=64, blank=True, default="")
    source_size = models.BigIntegerField(null=True, blank=True)
    # Whose values it brought, where they are not those of the registered upstream: "National AIP".
    source_title = models.CharField(max_length=200, blank=True, default="", db_default="")
    # The request, or the task of a worker, that made it: lines of the log carry the same.
    request_id = models.CharField(max_length=MOST_CHARACTERS, blank=True, default="", db_default="")
    # Objects by model label and operation, counted when the changeset closes; null while it may still grow.
    counts = models.JSONField(null=True, blank=True)
    # Changed objects by model label and field, counted with the above.
    field_counts = models.JSONField(null=True, blank=True)
    # What the job that made it wants to tell: totals of an import, buckets of a revert.
    summary = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True, default="")
    reverts = models.ManyToManyField("self", symmetrical=False, related_name="reverted_by", blank=True)
    # Reviewing is work too; the name as text outlives the user.
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    reviewed_by_name = models.CharField(max_length=255, blank=True, default="")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    review_comment = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    # When its rows of history were pruned: what it did is known by its counts only, and it cannot be reverted.
    pruned_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["kind", "status"], name="changeset_kind_status")]
        permissions = [
            ("revert_changeset", "Can revert a changeset"),
            ("review_changeset", "Can mark a changeset reviewed"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.get_kind_display()}"


class ChangesetTransaction(models.Model):
    """A transaction of PostgreSQL that wrote under a changeset: numbers are handed out before commits, this tells more.

    Triggers write it. SQLite needs none, since its writers come one after the other.
    """

    changeset = models.ForeignKey(Changeset, on_delete=models.CASCADE, related_name="transactions")
    # The identifier of the cluster: transactions of another one, from which rows were restored, say nothing here.
    server = models.BigIntegerField()
    xid = models.BigIntegerField()
    # Of a direct write that joined the changeset of an earlier one: the date of its history rows. Null: all others.
    joined_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.xid} of #{self.changeset_id}"


# In the address of a list, and so in the query of a view: the columns, with commas between.
COLUMNS = "_columns"


class SavedView(models.Model):
    """What a person made of a list: its filters, search, sorting and columns, as the query of its address."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    model = models.CharField(max_length=100)
    name = models.CharField(max_length=80)
    query = models.TextField(blank=True, default="")
    shared = models.BooleanField(default=False)
    # The list opens with it for its owner.
    is_default = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["owner", "model", "name"], name="saved_view_name")]

    def __str__(self) -> str:
        return self.name
