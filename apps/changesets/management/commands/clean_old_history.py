"""simple-history's command of this name, refused: it would break the history that the database records."""

from apps.changesets.management.refused import RefusedCommand as Command  # noqa: F401 - Django looks for this name
