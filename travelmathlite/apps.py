"""The console's admin site takes the place of Django's default one."""

from django.contrib.admin.apps import SimpleAdminConfig


class ConsoleAdminConfig(SimpleAdminConfig):
    default_site = "travelmathlite.admin.ConsoleAdminSite"
