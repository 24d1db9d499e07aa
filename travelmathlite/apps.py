"""The console's admin site takes the place of Django's default one."""

from django.contrib.admin.apps import AdminConfig


class ConsoleAdminConfig(AdminConfig):
    default_site = "travelmathlite.admin.ConsoleAdminSite"
