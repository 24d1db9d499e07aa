"""The number of this release, which stands in pyproject.toml alone."""

import tomllib
from functools import cache

from django.conf import settings


@cache
def version() -> str:
    """Return the number of this release: `1.0.0`."""
    with (settings.BASE_DIR / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])
