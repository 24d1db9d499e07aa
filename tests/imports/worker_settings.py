"""The settings for a worker in a process of its own: its folders are where the test says, and it is given up soon."""

import os
from pathlib import Path

from tests.settings import *  # noqa: F403

_folder = Path(os.environ["WORKER_TEST_FOLDER"])
STORAGES["imports"]["OPTIONS"]["location"] = _folder / "imports"  # noqa: F405
CACHES["progress"]["LOCATION"] = _folder / "progress"  # noqa: F405
IMPORTS_LEASE_SECONDS = 3
IMPORTS_AT_ONCE_BYTES = 0
