"""Django's makemigrations, which keeps the history of new tracked models when they are migrated backwards."""

from django.core.management.commands.makemigrations import Command as MakeMigrationsCommand

from apps.changesets.management.sentences import InOneSentence
from apps.changesets.recording.kept_tables import KeepingAutodetector


class Command(InOneSentence, MakeMigrationsCommand):
    requires_system_checks = "__all__"

    autodetector = KeepingAutodetector
