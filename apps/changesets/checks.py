"""System checks: are the models declared as the recording needs them, and does the database record what happens?"""

from collections import Counter
from collections.abc import Iterator, Sequence
from importlib import import_module
from pkgutil import iter_modules
from sqlite3 import dbapi2
from typing import Any, TypeVar

from django.apps import AppConfig, apps
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, connections, migrations, models, transaction
from django.db.utils import OperationalError

from apps.changesets.folding import folded_sql
from apps.changesets.history_models import why_not_recorded
from apps.changesets.models import Changeset
from apps.changesets.names import strays
from apps.changesets.processes.pooling import shares_sessions
from apps.changesets.recording import recording_problems
from apps.changesets.tracking import VERBS, TrackedModel, tracked_models

T = TypeVar("T")
OLDEST_SQLITE = (3, 39)


@register(Tags.database)
def check_recording(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Report changesets.E001 for each table whose changes would go unrecorded, E002 for a SQLite that is too old.

    And W010 for each name that is kept beside history and that no field answers to.
    """
    messages: list[CheckMessage] = []
    for alias in databases or ():
        connection = connections[alias]
        if connection.vendor == "sqlite" and dbapi2.sqlite_version_info < OLDEST_SQLITE:
            messages.append(
                Error(
                    f"SQLite {dbapi2.sqlite_version} is too old.",
                    hint="Use a Python with SQLite 3.39 or newer, or PostgreSQL.",
                    id="changesets.E002",
                )
            )
            continue
        try:
            if Changeset._meta.db_table not in connection.introspection.table_names():
                continue  # Nothing is migrated yet; migrate installs the recording.
        except OperationalError:
            continue  # No database there; Django says so itself.
        messages += [
            Error(
                problem,
                hint="Run `python manage.py migrate`, then `python manage.py audit_history --repair`.",
                id="changesets.E001",
            )
            for problem in recording_problems(alias)
        ]
        messages += [
            Warning(
                sentence,
                hint="Rename fields by RenameKeptField, as makemigrations does; docs/upgrading.md tells the rest.",
                id="changesets.W010",
            )
            for sentence in strays(alias)
        ]
    return messages


@register(Tags.database)
def check_sessions(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Report changesets.E010 for a database that is reached through a pooler in transaction mode."""
    messages: list[CheckMessage] = []
    for alias in databases or ():
        try:
            shared = shares_sessions(alias)
        except OperationalError:
            continue  # No database there; Django says so itself.
        if shared:
            problem = "A pooler gives each transaction another session of PostgreSQL: imports, locks and waiting fail."
            hint = "Set `pool_mode = session` in PgBouncer, or name PostgreSQL itself in DATABASE_URL."
            messages.append(Error(problem, hint=hint, id="changesets.E010"))
    return messages


@register(Tags.database)
def check_folding(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Report changesets.E012 for a PostgreSQL that cannot take accents and case away: each search would fail."""
    messages: list[CheckMessage] = []
    for alias in databases or ():
        try:
            folding = folded_sql("t.given", connections[alias])
            with transaction.atomic(alias), connections[alias].cursor() as cursor:
                cursor.execute(f"SELECT {folding} FROM (SELECT CAST(%s AS text) AS given) t", ["É"])  # noqa: S608
        except OperationalError:
            continue  # No database there; Django says so itself.
        except DatabaseError as error:
            hint = "Use a UTF-8 database of PostgreSQL 17 or newer, or of one with ICU, as all its packages are."
            messages.append(Error(f"Text cannot be searched for: {error}".strip(), hint=hint, id="changesets.E012"))
    return messages


@register(Tags.models)
def check_declarations(**kwargs: Any) -> list[CheckMessage]:
    """Report what is wrong with how tracked models are declared: changesets.E003 to E007."""
    declared = [model for model in apps.get_models() if issubclass(model, TrackedModel) and not model._meta.proxy]
    return [message for model in declared for message in mistakes_in(model)]


def mistakes_in(model: type[TrackedModel]) -> Iterator[CheckMessage]:
    """Yield what is wrong with how a tracked model is declared."""
    declared, fields = model.tracking, {field.name: field for field in model._meta.concrete_fields}
    named = [declared.stable_key, declared.filter_by, *(declared.point or ()), *declared.untracked]
    for name in named:
        if name and name not in fields and name != "updated_at":
            hint = f"Name one of its fields in `tracking`: {', '.join(fields)}."
            yield _error("E003", model, f"`tracking` names {name!r}, which is no field of the table.", hint)
    if declared.stable_key in fields and not fields[declared.stable_key].unique:
        hint = f"Declare {declared.stable_key} with unique=True, or name another field."
        yield _error("E004", model, f"Its stable key {declared.stable_key!r} is not unique.", hint)
    for field in model._meta.local_many_to_many:
        hint = "Make a tracked model of the pairs, with a foreign key to each side."
        yield _error("E005", model, f"{field.name} is many-to-many: its pairs would not be recorded.", hint)
    if reason := why_not_recorded(model):
        hint = "Give it one table with a primary key of one column; a UniqueConstraint keeps columns unique together."
        yield _error("E006", model, f"{reason} Its rows cannot be recorded.", hint)
    if lacking := [verb for verb in VERBS if verb not in model._meta.default_permissions]:
        hint = "Write `class Meta(TrackedModel.Meta):`."
        yield _error("E007", model, f"It has no permissions to {', '.join(lacking)}.", hint)


@register(Tags.models)
def check_names(**kwargs: Any) -> list[CheckMessage]:
    """Report changesets.E008 for tracked models of the same name: commands and temporary tables know them by it."""
    numbers = Counter(tracked.name for tracked in tracked_models())
    return [
        _error("E008", tracked.model, "Another tracked model has the same name.", "Give one of them another name.")
        for tracked in tracked_models()
        if numbers[tracked.name] > 1
    ]


@register(Tags.models)
def check_kept_history(**kwargs: Any) -> list[CheckMessage]:
    """Report changesets.E009 for each history table that migrating backwards would drop instead of setting it aside."""
    from apps.changesets.recording.kept_tables import CreateKeptModel

    tracked = {tracked.history_model._meta.label_lower: tracked.model for tracked in tracked_models()}
    messages: list[CheckMessage] = []
    for app_config in {model._meta.app_config for model in tracked.values()}:
        for migration, operation in _operations(app_config, migrations.CreateModel):
            model = tracked.get(f"{app_config.label}.{operation.name_lower}")
            if model is not None and not isinstance(operation, CreateKeptModel):
                hint = (
                    f"In {app_config.label}.{migration}, write CreateKeptModel (of "
                    f"{CreateKeptModel.__module__}) instead of migrations.CreateModel, as makemigrations does."
                )
                problem = f"Migrating backwards would drop the history that {operation.name} holds."
                messages.append(_error("E009", model, problem, hint))
    return messages


@register(Tags.models)
def check_renamed_models(**kwargs: Any) -> list[CheckMessage]:
    """Report changesets.E013 for each migration that renames a tracked model: what is kept goes by its former name."""
    tracked = {model: of.model for of in tracked_models() for model in (of.label, of.history_model._meta.label_lower)}
    messages: list[CheckMessage] = []
    for app_config in {model._meta.app_config for model in tracked.values()}:
        for migration, operation in _operations(app_config, migrations.RenameModel):
            names = (f"{app_config.label}.{name}" for name in (operation.new_name_lower, operation.old_name_lower))
            if model := next(filter(None, map(tracked.get, names)), None):
                problem = (
                    f"{app_config.label}.{migration} renames {operation.old_name} to {operation.new_name}: pins, runs, "
                    "changesets and backups go by the name of a model, and would lose it."
                )
                hint = "Keep the name of the class, and say what people read by verbose_name and verbose_name_plural."
                messages.append(_error("E013", model, problem, hint))
    return messages


@register(Tags.models)
def check_users(**kwargs: Any) -> list[CheckMessage]:
    """Report changesets.E011 for users whose keys are no whole numbers: triggers write them as such."""
    model = get_user_model()
    if isinstance(model._meta.pk, models.IntegerField):
        return []
    hint = "Give it a BigAutoField as primary key, and keep the other identifier in a unique field beside it."
    problem = f"Its primary key is a {type(model._meta.pk).__name__}: history names users by whole numbers."
    return [_error("E011", model, problem, hint)]


def _operations(app_config: AppConfig, kind: type[T]) -> Iterator[tuple[str, T]]:
    """Yield these operations of the migrations of an app; only its own migrations are read, since this is often."""
    # Imported late: few commands look at migrations.
    from django.db.migrations.loader import MigrationLoader

    module_name, _explicit = MigrationLoader.migrations_module(app_config.label)
    try:
        package = import_module(module_name or "")
    except (ImportError, ValueError):
        return  # It has no migrations yet; Django says so where they are needed.
    for module in iter_modules(package.__path__):
        migration = getattr(import_module(f"{module_name}.{module.name}"), "Migration", None)
        for operation in getattr(migration, "operations", ()):
            if isinstance(operation, kind):
                yield module.name, operation


def _error(number: str, model: type[models.Model], problem: str, hint: str) -> Error:
    return Error(problem, hint=hint, obj=model, id=f"changesets.{number}")
