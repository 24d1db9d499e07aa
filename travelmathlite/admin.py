"""The admin site of the console."""

from django.contrib.admin import AdminSite


class ConsoleAdminSite(AdminSite):
    site_header = "TravelMathLite console"
    site_title = "TravelMathLite"
    index_title = "Operations"
