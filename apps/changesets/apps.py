"""The app that records every change and can take it back."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate


class ChangesetsConfig(AppConfig):
    name = "apps.changesets"
    verbose_name = "Changesets"

    def ready(self) -> None:
        from apps.changesets import checks  # noqa: F401 - registers the system checks
        from apps.changesets.folding import teach_sqlite
        from apps.changesets.processes.private_files import make_private
        from apps.changesets.recording import install

        connection_created.connect(teach_sqlite, dispatch_uid="changesets.teach_sqlite")
        connection_created.connect(make_private, dispatch_uid="changesets.make_private")
        pre_migrate.connect(install.before_migrate, sender=self, dispatch_uid="changesets.before_migrate")
        post_migrate.connect(install.after_migrate, sender=self, dispatch_uid="changesets.after_migrate")
