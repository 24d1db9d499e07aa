"""A changeset is one recorded act of one person or job, over any number of rows of any tracked table."""

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.utils import timezone

# Here is where Django looks for models.
from apps.changesets import follow_models  # noqa: F401
from apps.changesets.processes.request_id import MOST_CHARACTERS
from apps.changesets.proposal_models import Proposal as Proposal

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


class ReviewVerdict(models.TextChoices):
    """What a reviewer found; a review from before there were verdicts has none, and counts as fine."""

    FINE = "fine", "Fine"
    QUESTIONABLE = "questionable", "Questionable"
    HARMFUL = "harmful", "Harmful"


class Changeset(models.Model):
    """Who changed what, why, when and from which file; the rows themselves are in the history tables."""

    kind = models.CharField(max_length=20, choices=Kind.choices)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.APPLIED)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # The name as text outlives the user; for direct writes it is the database's user and application.
    actor_name = models.CharField(max_length=255, blank=True, default="")
    # Who asked for it where the actor only confirmed it: who uploaded the file of an import.
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    asked_by_name = models.CharField(max_length=255, blank=True, default="", db_default="")
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
    review_verdict = models.CharField(
        max_length=12, choices=ReviewVerdict.choices, blank=True, default="", db_default=""
    )
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

    @property
    def verdict(self) -> str:
        """What its reviewer found; empty where nobody reviewed it."""
        return (self.review_verdict or ReviewVerdict.FINE) if self.reviewed_at else ""


class Comment(models.Model):
    """What a person says about a changeset, or about one object of it; nobody changes or deletes it afterwards."""

    changeset = models.ForeignKey(Changeset, on_delete=models.CASCADE, related_name="comments", db_index=False)
    # Of an object: the label of its model, and its key as `object_key_of` has it. Empty: about the whole changeset.
    model = models.CharField(max_length=100, blank=True, default="")
    object_key = models.CharField(max_length=270, blank=True, default="")
    object_name = models.CharField(max_length=255, blank=True, default="")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    # Names as text outlive the user and the object.
    author_name = models.CharField(max_length=255)
    text = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["changeset", "model", "object_key"], name="comment_of_object")]

    def __str__(self) -> str:
        return f"{self.author_name} on #{self.changeset_id}"


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


class PlanWork(models.TextChoices):
    """What a worker has to do with a stored plan, or how that ended."""

    NONE = "", "Made"
    TO_PLAN = "to_plan", "Waiting to be planned"
    PLANNING = "planning", "Planning"
    TO_APPLY = "to_apply", "Confirmed"
    APPLYING = "applying", "Running"
    APPLIED = "applied", "Applied"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class StoredPlan(models.Model):
    """What an act would do, as one person was shown it: made once, read page by page, and gone after a day.

    `about` and `asked` are what the plan is of (changesets; scope and policy) and never change; `state` is that of the
    tables when it was made, empty before, so that a plan that is out of date is told as such and made again.
    """

    act = models.CharField(max_length=40)
    # Deleting a user has not to look through all these rows: they go after a day.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    # Of act, about, asked, and the columns of the tables: another version of the console must not find it.
    key = models.CharField(max_length=40)
    about = models.JSONField()
    asked = models.JSONField()
    state = models.CharField(max_length=40, blank=True, default="")
    # The newest history row of each table when it was made.
    seen = models.JSONField(default=dict)
    # Its numbers: what the page says without reading a row.
    head = models.JSONField(default=dict)
    made_at = models.DateTimeField(default=timezone.now)
    # Of one that is left to a worker: the page that shows it, what was confirmed with which reason, what came of it.
    work = models.CharField(max_length=10, choices=PlanWork.choices, blank=True, default="")
    begun_at = models.DateTimeField(null=True)
    address = models.TextField(blank=True, default="")
    confirmed = models.JSONField(null=True)
    reason = models.TextField(blank=True, default="")
    error = models.TextField(blank=True, default="")
    changeset = models.ForeignKey(Changeset, null=True, on_delete=models.SET_NULL, related_name="+")
    # Whether its rows are in a temporary table: it was made to be shown in this request, and is not kept.
    passing = False

    class Meta:
        constraints = [models.UniqueConstraint(fields=["actor", "act", "key"], name="stored_plan_of_person")]
        default_permissions = ()

    def __str__(self) -> str:
        return f"Plan {self.pk} of {self.act}"


class PlanRow(models.Model):
    """One object of a plan: what becomes of it, and its values now and after."""

    model = models.CharField(max_length=100)
    # A word of the act (restored, blocked); and whether some of its values are left alone all the same.
    bucket = models.CharField(max_length=10)
    partly = models.BooleanField(default=False)
    object_pk = models.CharField(max_length=255)
    label = models.CharField(max_length=255, blank=True, default="")
    # What it is found by: `|name|city|` of the fields that change or are kept, `|12|13|` of its place now and after.
    fields = models.TextField(blank=True, default="")
    places = models.CharField(max_length=100, blank=True, default="")
    # {field: [now, after]}
    changes = models.JSONField(null=True)
    # What its explanation is made of (`revert/listing.py`).
    notes = models.JSONField(null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.bucket}: {self.label or self.object_pk}"


class StoredRow(PlanRow):
    """A row of a plan that is kept."""

    plan = models.ForeignKey(StoredPlan, on_delete=models.CASCADE, related_name="rows", db_index=False)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["plan", "bucket", "id"], name="storedrow_bucket"),
            models.Index(fields=["plan", "id"], name="storedrow_partly", condition=models.Q(partly=True)),
        ]


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
