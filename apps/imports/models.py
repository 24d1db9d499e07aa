"""What is remembered of imports: runs, the rows of their plans, how headers were mapped, and pinned fields."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class RunStatus(models.TextChoices):
    """The life of a run; a cancelled or failed one has written nothing to the tracked tables."""

    UPLOADED = "uploaded", "Uploaded"
    PLANNING = "planning", "Planning"
    PLANNED = "planned", "To be reviewed"
    APPROVED = "approved", "Confirmed"
    RUNNING = "running", "Running"
    APPLIED = "applied", "Applied"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


# A person or a worker still has to do something with these.
OPEN = (RunStatus.UPLOADED, RunStatus.PLANNING, RunStatus.PLANNED, RunStatus.APPROVED, RunStatus.RUNNING)
# A worker is busy with these: they need a heartbeat.
BUSY = (RunStatus.PLANNING, RunStatus.RUNNING)


class ImportRun(models.Model):
    """One imported file: who, why, how it is read, what it would do, and what it did.

    Progress, heartbeat and the wish to cancel are in the cache (`progress.py`), since a long transaction on SQLite
    locks every other writer out.
    """

    spec = models.CharField("what", max_length=40)
    status = models.CharField(max_length=20, choices=RunStatus.choices, default=RunStatus.UPLOADED)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # Names as text outlive the users.
    actor_name = models.CharField("who", max_length=255, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    file_name = models.CharField(max_length=500)
    file_sha256 = models.CharField(max_length=64)
    file_size = models.BigIntegerField()
    # The name in the storage of imported files; empty once the file is gone.
    kept_as = models.CharField(max_length=200, blank=True, default="")
    # How the file is read (format, encoding, delimiter), its header, and which field takes which of its columns.
    how = models.JSONField(default=dict)
    header = models.JSONField(default=list)
    mapping = models.JSONField(null=True, blank=True)
    options = models.JSONField(default=dict)
    # Counts of the plan, and after applying those of what was done; figures of the plan that no row has.
    counts = models.JSONField(null=True, blank=True)
    summary = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True, default="")
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    confirmed_by_name = models.CharField(max_length=255, blank=True, default="")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    # Not before this time; null means at once.
    start_at = models.DateTimeField(null=True, blank=True)
    changeset = models.ForeignKey(
        "changesets.Changeset", null=True, blank=True, on_delete=models.SET_NULL, related_name="import_runs"
    )
    # Only one run can hold a lock of the same name; it is given back when the run ends.
    lock = models.CharField(max_length=60, null=True, blank=True, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "import"
        indexes = [models.Index(fields=["status"], name="importrun_status")]
        permissions = [("approve_importrun", "Can confirm imports that others uploaded")]

    def __str__(self) -> str:
        return f"Import {self.pk} of {self.file_name}"

    @property
    def command(self) -> str:
        """The command that made it; empty where a person uploaded the file."""
        return (self.summary or {}).get("command", "")

    @property
    def who(self) -> str:
        """Who made it, in words: a person, or a command."""
        if self.actor is not None:
            return self.actor.get_full_name() or self.actor.get_username()
        return self.actor_name or (f"the command {self.command}" if self.command else "a command")


class RowKind(models.TextChoices):
    """What a planned row does to its object; each row has exactly one."""

    NEW = "new", "New"
    CHANGED = "changed", "Changed"
    UNCHANGED = "unchanged", "Unchanged"
    REFUSED = "refused", "Refused"
    MISSING = "missing", "Missing"


class Decision(models.TextChoices):
    """What a person decided about a planned row, against what the options say."""

    NONE = "", "As planned"
    TAKE = "take", "Take the file's values"
    KEEP = "keep", "Keep our values"
    LEAVE = "leave", "Leave the object alone"
    ID = "id", "Its first key counts"
    IDENT = "ident", "Its other keys count"


# An object that moves less has been measured better, and is where it was.
FAR_KM = 0.1


class PlannedRow(models.Model):
    """One row of a file (or one object that the file lacks), and what applying the plan does with it."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="rows", db_index=False)
    # The line of the file; null for objects that the file lacks.
    line = models.IntegerField(null=True)
    kind = models.CharField(max_length=10, choices=RowKind.choices)
    renamed = models.BooleanField(default=False)
    kept = models.BooleanField(default=False)
    # A person deleted the object here, and the file still has it.
    deleted_here = models.BooleanField(default=False)
    # A missing object whose primary key the file gives to another object.
    superseded = models.BooleanField(default=False)
    # The primary key of the live object, empty for new ones; the one it will have; what it is called.
    old_pk = models.CharField(max_length=255, blank=True, default="")
    new_pk = models.CharField(max_length=255, blank=True, default="")
    label = models.CharField(max_length=255, blank=True, default="")
    # {field: [old, new]} of a changed row; {field: [base, new, current]} of kept values.
    changes = models.JSONField(null=True)
    kept_values = models.JSONField(null=True)
    # Everything that applying needs to write the row: {"values": {...}, "upstream": {...}, "links": {...}};
    # of one with kept values also what the file says: {"staged": {...}}.
    payload = models.JSONField(null=True)
    # Of a refused row whose evidence contradicts its key: the objects that its keys name, their values, and which keys
    # can count (`plan/disputed.py`).
    disputed = models.JSONField(null=True)
    # The newest history row of the object when the plan was made.
    history_id = models.BigIntegerField(null=True)
    decision = models.CharField(max_length=5, choices=Decision.choices, blank=True, default="")
    decided_by_name = models.CharField(max_length=255, blank=True, default="")
    # How far a changed row moves its object; and whether it does nothing but move it a little.
    moved_km = models.FloatField(null=True)
    slight = models.BooleanField(default=False, db_default=False)
    # Why applying skipped the row: its object changed after the plan was made, or something blocked it.
    left_alone = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["run", "kind", "id"], name="plannedrow_kind"),
            models.Index(fields=["run", "id"], name="plannedrow_renamed", condition=Q(renamed=True)),
            models.Index(fields=["run", "id"], name="plannedrow_kept", condition=Q(kept=True)),
            models.Index(fields=["run", "id"], name="plannedrow_deleted", condition=Q(deleted_here=True)),
            models.Index(fields=["run", "id"], name="plannedrow_disputed", condition=Q(disputed__isnull=False)),
            models.Index(fields=["run", "-moved_km"], name="plannedrow_moved", condition=Q(moved_km__gte=FAR_KM)),
            models.Index(fields=["run", "id"], name="plannedrow_decided", condition=~Q(decision="")),
            models.Index(fields=["run", "id"], name="plannedrow_alone", condition=~Q(left_alone="")),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.new_pk or self.old_pk or self.line}"


class RefusedCell(models.Model):
    """One cell, or one whole row, that breaks a rule."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="refused_cells", db_index=False)
    line = models.IntegerField()
    column = models.CharField(max_length=255)
    value = models.TextField(blank=True, default="")
    rule = models.CharField(max_length=40)
    hint = models.TextField()

    class Meta:
        ordering = ["line", "id"]
        indexes = [models.Index(fields=["run", "line"], name="refusedcell_line")]

    def __str__(self) -> str:
        return f"line {self.line}, {self.column}: {self.value!r}: {self.hint}"


class HeaderMapping(models.Model):
    """How people mapped a header to fields once, so that the next file with the same header needs no asking."""

    spec = models.CharField(max_length=40)
    header_sha256 = models.CharField(max_length=64)
    mapping = models.JSONField()
    # {field: [[change, argument], ...]}: what the values of its column need before they are parsed.
    changes = models.JSONField(default=dict)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["spec", "header_sha256"], name="mapping_of_header")]

    def __str__(self) -> str:
        return f"Mapping for {self.spec}"


class Pin(models.Model):
    """A field of an object that imports must not change; or, without a field, an object that must stay deleted.

    The object is known by the key that stays with it: the spec's stable key where it has one (`id:3486`), else its
    primary key (`pk:KDEN`).
    """

    model = models.CharField(max_length=100)
    object_key = models.CharField(max_length=270)
    field = models.CharField(max_length=100, blank=True, default="")
    note = models.TextField(blank=True, default="")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    actor_name = models.CharField(max_length=255, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["model", "object_key", "field"], name="pin_of_field")]

    def __str__(self) -> str:
        return f"{self.object_key} {self.field or '(deleted)'}"
