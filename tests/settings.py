"""The console's settings with one more app, of another domain, on which what knows no airport is tested."""

import os

from travelmathlite.settings import *  # noqa: F403
from travelmathlite.settings import INSTALLED_APPS

INSTALLED_APPS = ["tests.second_domain", *INSTALLED_APPS]
# In the environment, so that processes that tests start sign with the same key.
BACKUP_SIGNING_KEY = os.environ.setdefault("BACKUP_SIGNING_KEY", "a key for tests only")
