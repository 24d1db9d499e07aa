"""The settings of the console for a benchmark: as in production, with folders that go when the benchmark is over."""

import os
from pathlib import Path

from travelmathlite.settings import *  # noqa: F403

_folder = Path(os.environ["BENCHMARK_FOLDER"])
DEBUG = False
# Sessions that one process makes hold in the others.
SECRET_KEY = os.environ.get("BENCHMARK_SECRET", "of a benchmark")
# A backup before an import is counted apart.
BACKUPS_AUTOMATIC = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]
STORAGES["imports"]["OPTIONS"]["location"] = _folder / "imports"  # noqa: F405
CACHES["progress"]["LOCATION"] = _folder / "progress"  # noqa: F405
STATIC_ROOT = _folder / "static"
