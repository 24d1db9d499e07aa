"""The console's settings with one more app, of another domain, on which what knows no airport is tested."""

from travelmathlite.settings import *  # noqa: F403
from travelmathlite.settings import INSTALLED_APPS

INSTALLED_APPS = ["tests.second_domain", *INSTALLED_APPS]
