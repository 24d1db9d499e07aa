"""The settings of a machine beside others: what the settings share is in one folder, and all else in its own."""

import os
from pathlib import Path

from travelmathlite.settings import *  # noqa: F403

_shared = Path(os.environ["MACHINES_SHARE"])
STORAGES["imports"]["OPTIONS"]["location"] = _shared / "imports"  # noqa: F405
for _alias in ("backups", "object_backups"):
    STORAGES[_alias] = {**STORAGES["imports"], "OPTIONS": {"location": _shared / _alias}}  # noqa: F405
# No static files are collected for a test.
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"  # noqa: F405
# Every file is for a worker.
IMPORTS_AT_ONCE_BYTES = 0
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if _replica := os.environ.get("MACHINES_REPLICA"):
    DATABASES["replica"] = {**DATABASES["default"], "PORT": _replica, "OPTIONS": {"connect_timeout": 2}}  # noqa: F405
    REPLICA_LAG_SECONDS = int(os.environ["MACHINES_LAG"])
