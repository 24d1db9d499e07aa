"""The console as an app of its own, for its commands, and its admin site in place of Django's default one."""

from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig


class ConsoleConfig(AppConfig):
    name = "travelmathlite"
    verbose_name = "Console"

    def ready(self) -> None:
        from apps.changesets.hooks import UNATTENDED

        UNATTENDED.add(_send_alerts)


def _send_alerts() -> None:
    # Imported late: what looks at everything is needed by few commands.
    from travelmathlite.alerts import send_alerts

    send_alerts()


class ConsoleAdminConfig(SimpleAdminConfig):
    default_site = "travelmathlite.admin.ConsoleAdminSite"
