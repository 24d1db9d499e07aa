"""The console as an app of its own, for its commands, and its admin site in place of Django's default one."""

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import SimpleAdminConfig


class ConsoleConfig(AppConfig):
    name = "travelmathlite"
    verbose_name = "Console"

    def ready(self) -> None:
        from apps.changesets.hooks import UNATTENDED
        from travelmathlite import deployment  # noqa: F401 - registers the system checks

        # Imported late: what looks at everything is needed by few commands.
        UNATTENDED.later("travelmathlite.alerts.send_alerts")
        if settings.SENTRY_DSN:
            from travelmathlite.sentry import start_sentry

            start_sentry(settings.SENTRY_DSN)


class ConsoleAdminConfig(SimpleAdminConfig):
    default_site = "travelmathlite.admin.ConsoleAdminSite"
