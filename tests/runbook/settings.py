"""The settings of processes that the runbook starts: the files of imports are where the test says."""

import os
from pathlib import Path

from tests.settings import *  # noqa: F403

_folder = Path(os.environ["RUNBOOK_FOLDER"])
STORAGES["imports"]["OPTIONS"]["location"] = _folder / "imports"  # noqa: F405
CACHES["progress"]["LOCATION"] = str(_folder / "progress")  # noqa: F405
IMPORTS_LEASE_SECONDS = 3
if "pool" in DATABASES["default"]["OPTIONS"]:  # noqa: F405
    del DATABASES["default"]["OPTIONS"]["pool"]  # noqa: F405
