"""How a tracked model is declared: what is refused by a check, and history that survives migrating back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import migrations, models
from django.db.migrations.optimizer import MigrationOptimizer
from django.test.utils import isolate_apps

from apps.changesets import checks
from apps.changesets.context import changeset
from apps.changesets.models import Changeset
from apps.changesets.recording.kept_tables import CreateKeptModel
from apps.changesets.revert import plan_revert, revert
from apps.changesets.tracking import TrackedModel, Tracking
from tests.second_domain import migrations as migrations_of_it
from tests.second_domain.models import Operator, Station

APP = "tests.second_domain"


def mistakes(model: type[TrackedModel]) -> dict[str, str]:
    """Return the messages of a model's checks by their id, each of which has a hint."""
    found = list(checks.mistakes_in(model))
    assert all(message.hint for message in found)
    return {message.id.removeprefix("changesets."): message.msg for message in found}


def test_the_models_of_the_console_and_of_the_tests_are_declared_well():
    assert (
        checks.check_declarations()
        == checks.check_names()
        == checks.check_kept_history()
        == checks.check_renamed_models()
        == []
    )


@isolate_apps(APP)
def test_a_name_that_is_no_field_is_refused():
    class Signal(TrackedModel):
        name = models.CharField(max_length=9)
        tracking = Tracking(stable_key="number", point=("latitude", "longitude"))

        class Meta(TrackedModel.Meta):
            pass

    assert mistakes(Signal)["E003"] == "`tracking` names 'longitude', which is no field of the table."


@isolate_apps(APP)
def test_a_stable_key_that_is_not_unique_is_refused():
    class Signal(TrackedModel):
        number = models.CharField(max_length=9)
        tracking = Tracking(stable_key="number")

        class Meta(TrackedModel.Meta):
            pass

    assert mistakes(Signal) == {"E004": "Its stable key 'number' is not unique."}


@isolate_apps(APP)
def test_many_to_many_is_refused():
    class Signal(TrackedModel):
        stations = models.ManyToManyField(Station)

        class Meta(TrackedModel.Meta):
            pass

    assert mistakes(Signal) == {"E005": "stations is many-to-many: its pairs would not be recorded."}


@isolate_apps(APP)
def test_a_primary_key_of_several_columns_is_refused():
    class Signal(TrackedModel):
        pk = models.CompositePrimaryKey("line", "number")
        line = models.IntegerField()
        number = models.IntegerField()

        class Meta(TrackedModel.Meta):
            pass

    assert mistakes(Signal) == {"E006": "Its primary key is made of several columns. Its rows cannot be recorded."}


@isolate_apps(APP)
def test_a_model_in_two_tables_is_refused():
    class Halt(Station):
        class Meta(TrackedModel.Meta):
            pass

    assert mistakes(Halt)["E006"].startswith("Its columns are in the tables of several models.")


@isolate_apps(APP)
def test_a_meta_without_the_permissions_is_refused():
    class Signal(TrackedModel):
        class Meta:
            ordering = ["pk"]

    assert mistakes(Signal) == {"E007": "It has no permissions to import, export, backup, restore."}


def test_two_tracked_models_of_one_name_are_refused(monkeypatch):
    (tracked,) = [each for each in checks.tracked_models() if each.model is Station]
    monkeypatch.setattr(checks, "tracked_models", lambda: (tracked, tracked))

    assert {message.id for message in checks.check_names()} == {"changesets.E008"}


def test_history_that_migrating_back_would_drop_is_refused(monkeypatch):
    plain = migrations.CreateModel("HistoricalStation", [])
    monkeypatch.setattr(checks, "_operations", lambda app_config, kind: [("0001_initial", plain)])

    found = checks.check_kept_history()

    assert [(message.id, message.obj) for message in found] == [("changesets.E009", Station)]
    assert "write CreateKeptModel" in found[0].hint


def test_users_whose_keys_are_no_whole_numbers_are_refused(monkeypatch):
    assert checks.check_users() == []
    monkeypatch.setattr(checks, "get_user_model", lambda: Operator)

    (found,) = checks.check_users()

    assert (found.id, found.obj) == ("changesets.E011", Operator)
    assert found.msg == "Its primary key is a UUIDField: history names users by whole numbers."
    assert found.hint


def test_makemigrations_keeps_history_also_when_it_makes_a_migration_shorter():
    kept = CreateKeptModel("HistoricalSignal", [("id", models.BigAutoField(primary_key=True))])
    more = migrations.AddField("HistoricalSignal", "name", models.TextField(default=""))

    (operation,) = MigrationOptimizer().optimize([kept, more], "second_domain")

    assert type(operation) is CreateKeptModel
    assert [name for name, _field in operation.fields] == ["id", "name"]


@pytest.mark.django_db
def test_the_migration_of_the_second_domain_is_as_makemigrations_wrote_it():
    text = (Path(migrations_of_it.__file__).parent / "0001_initial.py").read_text(encoding="utf-8")

    assert text.count("CreateKeptModel(") == 2
    call_command("makemigrations", "second_domain", "--check", verbosity=0)


@pytest.fixture
def forward_again(transactional_db: None) -> Iterator[None]:
    yield
    call_command("migrate", verbosity=0, interactive=False)


@pytest.mark.django_db(transaction=True)
def test_migrating_back_to_nothing_and_forward_keeps_history_and_gives_rows_back(forward_again):
    with changeset(kind="edit", actor=None):
        sbb = Operator.objects.create(code="SBB", name="SBB")
        Station.objects.create(code="BN", name="Bern", operator=sbb, number="85-1")
    before = list(Station.objects.values()), list(Operator.objects.values())

    call_command("migrate", "second_domain", "zero", verbosity=0, interactive=False)
    call_command("migrate", verbosity=0, interactive=False)
    empty = not Station.objects.exists()
    lost = Changeset.objects.filter(kind="migration").first()
    revert(plan_revert([lost]), actor=None, reason="the rows are wanted")

    assert empty
    assert Station.history.filter(code="BN").count() == 3
    assert (list(Station.objects.values()), list(Operator.objects.values())) == before
