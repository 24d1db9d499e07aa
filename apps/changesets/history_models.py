"""History models as simple-history makes them, filled by the database instead of by signals."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, cast
from zlib import crc32

from django.db import models
from django.db.models import Max, OuterRef, Q, Subquery
from simple_history.manager import SIMPLE_HISTORY_REVERSE_ATTR_NAME, HistoricalQuerySet, HistoryManager
from simple_history.models import HistoricalRecords

from apps.changesets.errors import HistoryIsRecordedByTheDatabase


class Stamped(models.Model):
    """The column of each history row beside the copy of its object: its changeset."""

    changeset = models.ForeignKey(
        "changesets.Changeset",
        # No constraint: the trigger that writes the row wrote or read the changeset in the same transaction, and the
        # check would cost a third of an import.
        db_constraint=False,
        on_delete=models.DO_NOTHING,
        related_name="+",
        editable=False,
    )

    class Meta:
        abstract = True


if TYPE_CHECKING:

    class HistoryRow(Stamped):
        """A row of history with what simple-history adds; beside that, it has the fields of what it tells of."""

        history_id: int
        history_date: datetime
        history_type: str
        changeset_id: int
        instance: Any
        objects: ClassVar[models.Manager["HistoryRow"]]

        class Meta:
            abstract = True
else:  # Each tracked model has a history model of its own.
    HistoryRow = Stamped

if TYPE_CHECKING:
    AnyHistoricalQuerySet = HistoricalQuerySet[HistoryRow]
    AnyHistoryManager = HistoryManager[HistoryRow]
else:  # simple-history's classes take no parameters when they run.
    AnyHistoricalQuerySet, AnyHistoryManager = HistoricalQuerySet, HistoryManager


class RecordedQuerySet(AnyHistoricalQuerySet):
    """History rows; "newest" goes by history_id, since equal dates happen."""

    def latest_of_each(self) -> "RecordedQuerySet":
        """Keep the newest row of each object among those selected, deletions included."""
        newest = (
            self.filter(**{self._pk_attr: OuterRef(self._pk_attr)})
            .order_by()
            .values(self._pk_attr)
            .annotate(newest=Max("history_id"))
            # One object has one newest row; Django 6.1 wants that said.
            .values("newest")[:1]
        )
        return cast(RecordedQuerySet, self.filter(history_id=Subquery(newest)))


class RecordedManager(AnyHistoryManager):
    """simple-history's manager where newest goes by history_id, and rows are never written from Python."""

    def get_queryset(self) -> RecordedQuerySet:
        rows: RecordedQuerySet = super().get_queryset().order_by("-history_id")
        return rows

    def as_of(self, date: Any) -> Any:
        """Return the table, or the one object, as it was at `date`; raises DoesNotExist for an object then absent."""
        if self.instance is None:
            queryset = self.get_queryset().filter(history_date__lte=date)
            queryset._as_of = date
            return queryset.latest_of_each().as_instances()
        record = self.get_queryset().filter(history_date__lte=date).first()
        if record is None:
            raise self.instance.DoesNotExist(f"{self.instance._meta.object_name} had not yet been created.")
        if record.history_type == "-":
            raise self.instance.DoesNotExist(f"{self.instance._meta.object_name} had already been deleted.")
        instance = record.instance
        getattr(instance, SIMPLE_HISTORY_REVERSE_ATTR_NAME)._as_of = date
        return instance

    def bulk_history_create(self, objs: Iterable[models.Model], *args: Any, **kwargs: Any) -> None:
        """Refuse: triggers record what happens, and a second writer would record it twice."""
        raise HistoryIsRecordedByTheDatabase(
            "simple-history's bulk helpers are not used here: call bulk_create, bulk_update or update, "
            "and the database records them."
        )


def why_not_recorded(model: type[models.Model]) -> str | None:
    """Return why the rows of this model can have no history of their own, in one sentence, or None."""
    meta = model._meta
    if meta.proxy:
        return "A proxy has no table of its own."
    if meta.parents:
        return "Its columns are in the tables of several models."
    if isinstance(meta.pk, models.CompositePrimaryKey):
        return "Its primary key is made of several columns."
    return None


def _index_name(model: str, use: str) -> str:
    """Return the name of an index of a history table; Django allows it 30 characters."""
    name = f"{model}_history_{use}"
    return name if len(name) <= 30 else f"{model[:3]}_{crc32(model.encode()):08x}_history_{use}"


class ChangesetHistory(HistoricalRecords):
    """HistoricalRecords whose rows are written by database triggers and belong to a changeset.

    It stands on an abstract base (`TrackedModel`): each model below it gets a history model of its own.
    """

    def __init__(self) -> None:
        super().__init__(
            inherit=True,
            bases=(Stamped,),
            history_id_field=models.BigAutoField(),
            user_db_constraint=False,
            history_manager=RecordedManager,
            historical_queryset=RecordedQuerySet,
        )

    def finalize(self, sender: type[models.Model], **kwargs: Any) -> None:
        """Make the history model, and connect no receiver: even idle ones make deletion 15 times slower.

        A model that cannot be recorded gets none; its system check says why.
        """
        if not issubclass(sender, self.cls) or why_not_recorded(sender):
            return
        # An index costs on every recorded row; rows are found by object and by changeset only.
        self.no_db_index = [field.name for field in sender._meta.fields] + ["history_user"]
        super().finalize(sender, **kwargs)
        for signal, receiver in (
            (models.signals.post_save, self.post_save),
            (models.signals.post_delete, self.post_delete),
            (models.signals.pre_delete, self.pre_delete),
        ):
            signal.disconnect(receiver, sender=sender)

    def get_extra_fields(self, model: type[models.Model], fields: dict[str, Any]) -> dict[str, Any]:
        extra: dict[str, Any] = super().get_extra_fields(model, fields)
        extra["history_user"].db_index = False
        pk = model._meta.pk.attname

        def neighbour(record: HistoryRow, condition: Q, order: str) -> HistoryRow | None:
            same_object = type(record).objects.filter(**{pk: getattr(record, pk)})
            return same_object.filter(condition).order_by(order).first()

        extra["prev_record"] = property(lambda self: neighbour(self, Q(history_id__lt=self.history_id), "-history_id"))
        extra["next_record"] = property(lambda self: neighbour(self, Q(history_id__gt=self.history_id), "history_id"))
        return extra

    def get_meta_options(self, model: type[models.Model]) -> dict[str, Any]:
        options: dict[str, Any] = super().get_meta_options(model)
        options["ordering"] = ("-history_id",)
        options["get_latest_by"] = ("history_id",)
        pk = model._meta.pk.attname
        name = model._meta.label_lower.rpartition(".")[2]
        options["indexes"] = (
            models.Index(fields=(pk, "history_id"), name=_index_name(name, "by_object")),
            # The recycle bin reads deletions only, which are few.
            models.Index(fields=(pk, "history_id"), condition=Q(history_type="-"), name=_index_name(name, "deleted")),
        )
        return options
